//! Reads a schema of Simple Binary Encoding 1.0, as far as ours go: little-endian messages of numbers, enumerations, texts of fixed
//! length and composites, groups of such fields, and texts of any length behind them. Whatever else stands there is an error, and no
//! guess. It knows nothing of what is made of it.

use roxmltree::{Document, Node};
use std::collections::HashMap;

/// A schema.
pub struct Schema {
    pub id: u16,
    pub version: u16,
    /// What stands before each message.
    pub header: Vec<(String, Primitive)>,
    pub enumerations: Vec<Enumeration>,
    /// Those that stand in fields.
    pub composites: Vec<Composite>,
    pub messages: Vec<Message>,
}

/// A message: its root block, then its groups, then its texts.
pub struct Message {
    pub name: String,
    pub id: u16,
    pub description: String,
    pub block: Vec<Field>,
    pub groups: Vec<Group>,
    pub texts: Vec<Text>,
}

/// Entries of the same fields, behind how large each is and how many there are.
pub struct Group {
    pub name: String,
    pub block_length: Primitive,
    pub count: Primitive,
    pub fields: Vec<Field>,
}

/// A text behind its length.
pub struct Text {
    pub name: String,
    pub length: Primitive,
}

/// Fields that stand together in several places.
pub struct Composite {
    pub name: String,
    pub fields: Vec<Field>,
}

/// What stands at one place of a block. Constants, which are not written, are left out.
#[derive(Clone)]
pub struct Field {
    pub name: String,
    pub description: String,
    pub kind: Kind,
}

#[derive(Clone)]
pub enum Kind {
    /// A number; with what stands for none, where it may be none.
    Number(Primitive, Option<String>),
    /// So many bytes of text, the rest zero.
    Characters(usize),
    /// The fields of the composite of this name.
    Composite(String, Vec<Field>),
}

impl Kind {
    /// In bytes.
    pub fn size(&self) -> usize {
        match self {
            Kind::Number(primitive, _) => primitive.size,
            Kind::Characters(length) => *length,
            Kind::Composite(_, fields) => size(fields),
        }
    }
}

/// Of fields, one after another, in bytes.
pub fn size(fields: &[Field]) -> usize {
    fields.iter().map(|field| field.kind.size()).sum()
}

/// A type of numbers, under its name in Rust.
#[derive(Clone, Copy)]
pub struct Primitive {
    pub name: &'static str,
    pub size: usize,
}

/// Words, and the numbers that stand for them.
pub struct Enumeration {
    pub name: String,
    pub primitive: Primitive,
    pub values: Vec<(String, String)>,
}

/// What a name stands for in fields; none for a constant.
type Types = HashMap<String, Option<Kind>>;

type Result<T> = std::result::Result<T, String>;

impl Schema {
    pub fn read(text: &str) -> Result<Schema> {
        let document = Document::parse(text).map_err(|error| error.to_string())?;
        let root = document.root_element();
        if root.attribute("byteOrder").is_some_and(|order| order != "littleEndian") {
            return Err("only littleEndian is read".into());
        }
        let reader = Reader::of(root)?;
        let messages = elements(root).filter(|node| node.tag_name().name() == "message");
        let messages: Vec<Message> = messages.map(|node| reader.message(node)).collect::<Result<_>>()?;
        Ok(Schema {
            id: number(root, "id")?,
            version: number(root, "version")?,
            header: reader.lengths("messageHeader")?,
            composites: used_composites(&messages),
            messages,
            enumerations: reader.enumerations,
        })
    }
}

struct Reader<'a> {
    types: Types,
    composites: HashMap<&'a str, Node<'a, 'a>>,
    enumerations: Vec<Enumeration>,
}

impl<'a> Reader<'a> {
    fn of(root: Node<'a, 'a>) -> Result<Reader<'a>> {
        let mut reader = Reader { types: Types::new(), composites: HashMap::new(), enumerations: Vec::new() };
        let lists = elements(root).filter(|node| node.tag_name().name() == "types");
        for node in lists.flat_map(elements) {
            let name = attribute(node, "name")?;
            match node.tag_name().name() {
                "type" => drop(reader.types.insert(name.into(), kind(node)?)),
                "enum" => reader.enumeration(name, node)?,
                "composite" => {
                    reader.composites.insert(name, node);
                    reader.types.insert(name.into(), Some(Kind::Composite(camel(name), members(node)?)));
                }
                other => return Err(format!("'{other}' is not read")),
            }
        }
        Ok(reader)
    }

    fn enumeration(&mut self, name: &str, node: Node<'_, '_>) -> Result<()> {
        let primitive = primitive(attribute(node, "encodingType")?)?;
        self.types.insert(name.into(), Some(Kind::Number(primitive, None)));
        let value = |node: Node<'_, '_>| Ok((snake(attribute(node, "name")?), text(node).trim().to_owned()));
        let values = elements(node).map(value).collect::<Result<_>>()?;
        self.enumerations.push(Enumeration { name: snake(name), primitive, values });
        Ok(())
    }

    /// The members of a composite that tells lengths.
    fn lengths(&self, name: &str) -> Result<Vec<(String, Primitive)>> {
        let node = self.composites.get(name).ok_or_else(|| format!("there is no composite {name}"))?;
        let member = |node: Node<'_, '_>| {
            Ok((attribute(node, "name")?.to_owned(), primitive(attribute(node, "primitiveType")?)?))
        };
        elements(*node).map(member).collect()
    }

    fn message(&self, node: Node<'_, '_>) -> Result<Message> {
        let of = |kind: &'static str| elements(node).filter(move |node| node.tag_name().name() == kind);
        let (block, others) = (of("field").count(), of("group").count() + of("data").count());
        if elements(node).skip(block).any(|node| node.tag_name().name() == "field")
            || block + others != elements(node).count()
        {
            return Err("a message is fields, then groups, then data".into());
        }
        Ok(Message {
            name: snake(attribute(node, "name")?),
            id: number(node, "id")?,
            description: description(node),
            block: self.fields(node)?,
            groups: of("group").map(|node| self.group(node)).collect::<Result<_>>()?,
            texts: of("data").map(|node| self.text(node)).collect::<Result<_>>()?,
        })
    }

    fn group(&self, node: Node<'_, '_>) -> Result<Group> {
        if elements(node).any(|node| node.tag_name().name() != "field") {
            return Err("a group holds fields alone".into());
        }
        let dimension = node.attribute("dimensionType").unwrap_or("groupSizeEncoding");
        match self.lengths(dimension)?.as_slice() {
            [(first, block_length), (second, count)] if first == "blockLength" && second == "numInGroup" => {
                let name = snake(attribute(node, "name")?);
                Ok(Group { name, block_length: *block_length, count: *count, fields: self.fields(node)? })
            }
            _ => Err(format!("{dimension} has to be blockLength and numInGroup")),
        }
    }

    fn text(&self, node: Node<'_, '_>) -> Result<Text> {
        let composite = attribute(node, "type")?;
        match self.lengths(composite)?.first() {
            Some((name, length)) if name == "length" => {
                Ok(Text { name: snake(attribute(node, "name")?), length: *length })
            }
            _ => Err(format!("{composite} has to begin with length")),
        }
    }

    fn fields(&self, node: Node<'_, '_>) -> Result<Vec<Field>> {
        let mut fields = Vec::new();
        for field in elements(node).filter(|node| node.tag_name().name() == "field") {
            let (name, of) = (snake(attribute(field, "name")?), attribute(field, "type")?);
            if let Some(unread) = ["offset", "presence"].into_iter().find(|name| field.has_attribute(*name)) {
                return Err(format!("'{unread}' of a field is not read; let its type say so"));
            }
            let kind = self.types.get(of).ok_or_else(|| format!("there is no type {of}"))?;
            if let Some(kind) = kind.clone() {
                fields.push(Field { name, description: description(field), kind });
            }
        }
        Ok(fields)
    }
}

/// The fields of a composite.
fn members(node: Node<'_, '_>) -> Result<Vec<Field>> {
    let mut fields = Vec::new();
    for member in elements(node) {
        if let Some(kind) = kind(member)? {
            let name = snake(attribute(member, "name")?);
            fields.push(Field { name, description: description(member), kind });
        }
    }
    Ok(fields)
}

/// Those that stand in a field of a message, each once.
fn used_composites(messages: &[Message]) -> Vec<Composite> {
    let mut composites: Vec<Composite> = Vec::new();
    let groups = messages.iter().flat_map(|message| &message.groups).flat_map(|group| &group.fields);
    for field in messages.iter().flat_map(|message| &message.block).chain(groups) {
        if let Kind::Composite(name, fields) = &field.kind
            && composites.iter().all(|composite| composite.name != *name)
        {
            composites.push(Composite { name: name.clone(), fields: fields.clone() });
        }
    }
    composites
}

/// What a type is; none if it is a constant.
fn kind(node: Node<'_, '_>) -> Result<Option<Kind>> {
    let of = attribute(node, "primitiveType")?;
    match (node.attribute("presence"), of, node.attribute("length")) {
        (Some("constant"), ..) => Ok(None),
        (None, "char", Some(length)) => {
            let length = length.parse().map_err(|_| format!("length '{length}' is no number"))?;
            Ok(Some(Kind::Characters(length)))
        }
        (Some("optional"), of, None) => {
            Ok(Some(Kind::Number(primitive(of)?, Some(attribute(node, "nullValue")?.into()))))
        }
        // Of a text of any length.
        (None, of, None | Some("0")) => Ok(Some(Kind::Number(primitive(of)?, None))),
        _ => Err(format!("such a type is not read: {}", attribute(node, "name")?)),
    }
}

fn primitive(name: &str) -> Result<Primitive> {
    const ALL: [(&str, &str, usize); 8] = [
        ("uint8", "u8", 1),
        ("uint16", "u16", 2),
        ("uint32", "u32", 4),
        ("uint64", "u64", 8),
        ("int8", "i8", 1),
        ("int16", "i16", 2),
        ("int32", "i32", 4),
        ("int64", "i64", 8),
    ];
    let found = ALL.into_iter().find(|(schema, ..)| *schema == name);
    found.map(|(_, name, size)| Primitive { name, size }).ok_or_else(|| format!("'{name}' is not read"))
}

fn elements<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(Node::is_element)
}

fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Result<&'a str> {
    node.attribute(name).ok_or_else(|| format!("{} without {name}", node.tag_name().name()))
}

fn number(node: Node<'_, '_>, name: &str) -> Result<u16> {
    attribute(node, name)?.parse().map_err(|_| format!("{name} is no number of 16 bits"))
}

fn description(node: Node<'_, '_>) -> String {
    node.attribute("description").unwrap_or_default().into()
}

fn text<'a>(node: Node<'a, '_>) -> &'a str {
    node.text().unwrap_or_default()
}

/// `stamps` as a type of Rust has its name.
pub fn camel(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// `firstSeq` as other things in Rust have their names; `type` means something there.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(character.to_ascii_lowercase());
    }
    if out == "type" { "kind".into() } else { out }
}
