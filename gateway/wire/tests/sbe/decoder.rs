//! Reads messages of Simple Binary Encoding by their schema's file alone: whatever writes them is not known here.

use roxmltree::{Document, Node};
use serde_json::{Map, Value};

/// A schema, as text: messages are few, and are read by walking it.
pub struct Schema<'a> {
    document: Document<'a>,
}

/// What is left of a message.
struct Rest<'m>(&'m [u8]);

impl<'m> Rest<'m> {
    fn take(&mut self, length: usize) -> Result<&'m [u8], String> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or("the message is cut short")?;
        self.0 = rest;
        Ok(taken)
    }
}

impl<'a> Schema<'a> {
    pub fn parse(text: &'a str) -> Schema<'a> {
        Schema { document: Document::parse(text).expect("the schema is XML") }
    }

    /// The name of a message and what is in it, which is all that there is.
    pub fn decode(&self, bytes: &[u8]) -> Result<(String, Map<String, Value>), String> {
        let mut rest = Rest(bytes);
        let header = self.composite(self.of_name("messageHeader")?, &mut rest)?;
        let root = self.document.root_element();
        for (name, attribute) in [("schemaId", "id"), ("version", "version")] {
            let said = header[name].to_string();
            if root.attribute(attribute) != Some(&said) {
                return Err(format!("{name} is {said}"));
            }
        }
        let is_it = |node: &Node<'_, '_>| node.attribute("id") == Some(&header["templateId"].to_string());
        let message = elements(root).filter(|node| node.tag_name().name() == "message").find(is_it);
        let message = message.ok_or_else(|| format!("there is no message {}", header["templateId"]))?;
        let mut values = self.block(message, &header, &mut rest)?;
        for node in elements(message) {
            let value = match node.tag_name().name() {
                "group" => self.group(node, &mut rest)?,
                "data" => self.text(node, &mut rest)?,
                _ => continue,
            };
            values.insert(name_of(node), value);
        }
        match rest.0 {
            [] => Ok((name_of(message), values)),
            more => Err(format!("{} bytes too many", more.len())),
        }
    }

    /// The fields of a message or a group, which take as many bytes as is said before them.
    fn block(
        &self,
        of: Node<'_, '_>,
        lengths: &Map<String, Value>,
        rest: &mut Rest<'_>,
    ) -> Result<Map<String, Value>, String> {
        let length = lengths["blockLength"].as_u64().ok_or("no length")? as usize;
        let mut block = Rest(rest.take(length)?);
        let mut values = Map::new();
        for field in elements(of).filter(|node| node.tag_name().name() == "field") {
            let node = self.of_name(field.attribute("type").ok_or("a field without a type")?)?;
            let value = match node.tag_name().name() {
                "composite" => self.composite(node, &mut block)?.into(),
                "enum" => word(node, &mut block)?,
                _ if node.attribute("presence") == Some("constant") => continue,
                _ => scalar(node, &mut block)?,
            };
            values.insert(name_of(field), value);
        }
        match block.0 {
            [] => Ok(values),
            more => Err(format!("a block of {length} bytes is {} longer than its fields", more.len())),
        }
    }

    fn group(&self, node: Node<'_, '_>, rest: &mut Rest<'_>) -> Result<Value, String> {
        let dimension = node.attribute("dimensionType").unwrap_or("groupSizeEncoding");
        let lengths = self.composite(self.of_name(dimension)?, rest)?;
        let count = lengths["numInGroup"].as_u64().ok_or("no count")?;
        let entries = (0..count).map(|_| self.block(node, &lengths, rest).map(Value::Object));
        entries.collect::<Result<Vec<_>, _>>().map(Value::Array)
    }

    fn text(&self, node: Node<'_, '_>, rest: &mut Rest<'_>) -> Result<Value, String> {
        let composite = self.of_name(node.attribute("type").ok_or("data without a type")?)?;
        let length = elements(composite).next().ok_or("a text without a length")?;
        let length = scalar(length, rest)?.as_u64().ok_or("no length")?;
        let text = std::str::from_utf8(rest.take(length as usize)?).map_err(|error| error.to_string())?;
        Ok(text.into())
    }

    fn composite(&self, node: Node<'_, '_>, rest: &mut Rest<'_>) -> Result<Map<String, Value>, String> {
        elements(node).map(|member| Ok((name_of(member), scalar(member, rest)?))).collect()
    }

    fn of_name(&self, name: &str) -> Result<Node<'_, 'a>, String> {
        let types = elements(self.document.root_element()).filter(|node| node.tag_name().name() == "types");
        let mut named = types.flat_map(elements).filter(|node| node.attribute("name") == Some(name));
        named.next().ok_or_else(|| format!("there is no {name}"))
    }
}

fn elements<'d, 'i>(node: Node<'d, 'i>) -> impl Iterator<Item = Node<'d, 'i>> {
    node.children().filter(Node::is_element)
}

fn name_of(node: Node<'_, '_>) -> String {
    node.attribute("name").unwrap_or_default().into()
}

fn word(node: Node<'_, '_>, rest: &mut Rest<'_>) -> Result<Value, String> {
    let number = number(node.attribute("encodingType"), rest)?.to_string();
    let value = elements(node).find(|value| value.text() == Some(&number));
    value.map(|value| name_of(value).into()).ok_or_else(|| format!("{} {number}", name_of(node)))
}

fn scalar(node: Node<'_, '_>, rest: &mut Rest<'_>) -> Result<Value, String> {
    let of = node.attribute("primitiveType");
    if of == Some("char") {
        let length = node.attribute("length").and_then(|length| length.parse().ok()).unwrap_or(1);
        let text = std::str::from_utf8(rest.take(length)?).map_err(|error| error.to_string())?;
        return Ok(text.trim_end_matches('\0').into());
    }
    let number = number(of, rest)?;
    let is_none = node.attribute("nullValue") == Some(&number.to_string());
    Ok(if is_none { Value::Null } else { number })
}

fn number(of: Option<&str>, rest: &mut Rest<'_>) -> Result<Value, String> {
    let (signed, size) = match of {
        Some("uint8") => (false, 1),
        Some("uint16") => (false, 2),
        Some("uint32") => (false, 4),
        Some("uint64") => (false, 8),
        Some("int8") => (true, 1),
        Some("int64") => (true, 8),
        other => return Err(format!("{other:?} is not read")),
    };
    let bytes = rest.take(size)?;
    let mut wide = [if signed && bytes[size - 1] >> 7 == 1 { 0xFF } else { 0 }; 8];
    wide[..size].copy_from_slice(bytes);
    Ok(if signed { i64::from_le_bytes(wide).into() } else { u64::from_le_bytes(wide).into() })
}
