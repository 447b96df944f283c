//! Writes a schema down as Rust: a module for each message, with a struct for each of its blocks and one function that appends it all. Each
//! block is an array of a size that the compiler knows, filled in place and appended at once. It does not read XML.

use crate::schema::{
    Composite, Enumeration, Field, Group, Kind, Message, Primitive, Schema, Text, camel, size,
};

/// The source text.
pub fn writers(schema: &Schema) -> String {
    let mut out = String::from("// Made by build/main.rs.\n");
    for (name, value) in [("SCHEMA_ID", schema.id), ("SCHEMA_VERSION", schema.version)] {
        line(&mut out, &format!("pub const {name}: u16 = {value};"));
    }
    schema.enumerations.iter().for_each(|enumeration| constants(&mut out, enumeration));
    for Composite { name, fields } in &schema.composites {
        structure(&mut out, name, fields);
    }
    schema.messages.iter().for_each(|message| module(&mut out, schema, message));
    out
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

fn constants(out: &mut String, Enumeration { name, primitive, values }: &Enumeration) {
    line(out, &format!("pub mod {name} {{"));
    for (value, number) in values {
        line(out, &format!("pub const {}: {} = {number};", value.to_uppercase(), primitive.name));
    }
    line(out, "}");
}

fn module(out: &mut String, schema: &Schema, message: &Message) {
    let Message { name, description, block, groups, texts, .. } = message;
    line(out, &format!("/// {description}.\npub mod {name} {{"));
    structure(out, "Block", block);
    places(out, schema, message);
    for group in groups {
        structure(out, &camel(&group.name), &group.fields);
    }
    let lifetime = lifetime(block);
    let mut arguments = format!("out: &mut Vec<u8>, block: &Block{}", lifetime.replace("'a", "'_"));
    for group in groups {
        let lifetime = self::lifetime(&group.fields);
        arguments += &format!(
            ", {}: impl IntoIterator<Item = {}{}>",
            group.name,
            camel(&group.name),
            lifetime.replace("'a", "'g")
        );
    }
    for text in texts {
        arguments += &format!(", {}: &[u8]", text.name);
    }
    let generic =
        if groups.iter().any(|group| !self::lifetime(&group.fields).is_empty()) { "<'g>" } else { "" };
    line(
        out,
        "/// Appends the whole message.\n///\n/// # Panics\n/// If a group or a text is longer than its length can say.",
    );
    line(out, &format!("pub fn push{generic}({arguments}) {{"));
    root(out, schema, message);
    groups.iter().for_each(|group| push_group(out, group));
    texts.iter().for_each(|text| push_text(out, text));
    line(out, "}\n}");
}

/// Texts are borrowed.
fn lifetime(fields: &[Field]) -> &'static str {
    let borrows = fields.iter().any(|field| matches!(field.kind, Kind::Characters(_)));
    if borrows { "<'a>" } else { "" }
}

fn structure(out: &mut String, name: &str, fields: &[Field]) {
    line(out, &format!("pub struct {name}{} {{", lifetime(fields)));
    for Field { name, description, kind } in fields {
        if !description.is_empty() {
            line(out, &format!("/// {description}."));
        }
        let of = match kind {
            Kind::Number(Primitive { name, .. }, None) => (*name).to_owned(),
            Kind::Number(Primitive { name, .. }, Some(_)) => format!("Option<{name}>"),
            Kind::Characters(_) => "&'a str".to_owned(),
            Kind::Composite(name, _) => format!("super::{name}"),
        };
        line(out, &format!("pub {name}: {of},"));
    }
    line(out, "}");
}

fn header_size(schema: &Schema) -> usize {
    schema.header.iter().map(|(_, primitive)| primitive.size).sum()
}

/// Constants that say which message it is and where its block's fields stand in it.
fn places(out: &mut String, schema: &Schema, message: &Message) {
    let mut at = header_size(schema);
    line(out, "/// Where the fields stand.\n#[allow(dead_code)]\npub mod at {");
    line(out, &format!("/// The template.\npub const TEMPLATE: u16 = {};", message.id));
    line(out, &format!("/// The first byte behind the header.\npub const BLOCK: usize = {at};"));
    for field in &message.block {
        line(out, &format!("pub const {}: usize = {at};", field.name.to_uppercase()));
        at += field.kind.size();
    }
    line(out, "}");
}

/// The header and the root block, as one array.
fn root(out: &mut String, schema: &Schema, message: &Message) {
    let block = size(&message.block);
    line(out, &format!("let mut bytes = [0_u8; {}];", header_size(schema) + block));
    let mut at = 0;
    for (name, primitive) in &schema.header {
        let value = match name.as_str() {
            "blockLength" => format!("{block}_{}", primitive.name),
            "templateId" => format!("{}_{}", message.id, primitive.name),
            "schemaId" => "super::SCHEMA_ID".to_owned(),
            "version" => "super::SCHEMA_VERSION".to_owned(),
            other => panic!("messageHeader has {other}, which is not known"),
        };
        put(out, &mut at, *primitive, &value);
    }
    put_fields(out, &mut at, &message.block, "block");
    line(out, "out.extend_from_slice(&bytes);");
}

fn put(out: &mut String, at: &mut usize, primitive: Primitive, value: &str) {
    let end = *at + primitive.size;
    line(out, &format!("bytes[{at}..{end}].copy_from_slice(&{value}.to_le_bytes());"));
    *at = end;
}

fn put_fields(out: &mut String, at: &mut usize, fields: &[Field], of: &str) {
    for Field { name, kind, .. } in fields {
        match kind {
            Kind::Number(primitive, None) => put(out, at, *primitive, &format!("{of}.{name}")),
            Kind::Number(primitive, Some(null)) => {
                put(out, at, *primitive, &format!("{of}.{name}.unwrap_or({null})"));
            }
            Kind::Characters(length) => {
                // What is too long is cut between characters.
                line(out, &format!("let length = {of}.{name}.floor_char_boundary({length});"));
                line(out, &format!("let text = &{of}.{name}.as_bytes()[..length];"));
                line(out, &format!("bytes[{at}..][..length].copy_from_slice(text);"));
                *at += length;
            }
            Kind::Composite(_, fields) => put_fields(out, at, fields, &format!("{of}.{name}")),
        }
    }
}

fn push_group(out: &mut String, Group { name, block_length, count, fields }: &Group) {
    let block = size(fields);
    line(out, &format!("out.extend_from_slice(&{block}_{}.to_le_bytes());", block_length.name));
    // How many there are is known behind them.
    line(out, &format!("let count_at = out.len();\nlet mut count = 0_{};", count.name));
    line(out, "out.extend_from_slice(&count.to_le_bytes());");
    line(out, &format!("for entry in {name} {{\ncount += 1;\nlet mut bytes = [0_u8; {block}];"));
    put_fields(out, &mut 0, fields, "entry");
    line(out, "out.extend_from_slice(&bytes);\n}");
    line(out, &format!("out[count_at..count_at + {}].copy_from_slice(&count.to_le_bytes());", count.size));
}

fn push_text(out: &mut String, Text { name, length }: &Text) {
    let of = length.name;
    line(out, &format!("let length = {of}::try_from({name}.len()).expect(\"{name} fits into {of}\");"));
    line(out, &format!("out.extend_from_slice(&length.to_le_bytes());\nout.extend_from_slice({name});"));
}
