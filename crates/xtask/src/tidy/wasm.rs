//! Looks into compiled WebAssembly for imports from a module called `env`: a C library that was
//! compiled without its parts leaves them, they link silently, and the page then fails at start.

/// The number of the import section.
const IMPORTS: u8 = 2;

/// Findings in one file.
pub(super) fn findings(path: &str, bytes: &[u8]) -> Vec<String> {
    match imports(bytes) {
        Some(imports) => imports
            .iter()
            .filter(|(module, _)| module == "env")
            .map(|(_, name)| format!("{path}: imports `{name}` from \"env\", which no browser has"))
            .collect(),
        None => vec![format!("{path}: is not WebAssembly as we know it")],
    }
}

/// The module and the name of every import; none if the bytes are not a module.
fn imports(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let mut module = Reader(bytes.strip_prefix(b"\0asm\x01\0\0\0")?);
    while !module.0.is_empty() {
        let id = module.byte()?;
        let length = module.number()?;
        let mut section = Reader(module.bytes(length)?);
        if id == IMPORTS {
            return section.imports();
        }
    }
    Some(Vec::new())
}

/// What of a module has not been read yet.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn imports(&mut self) -> Option<Vec<(String, String)>> {
        let count = self.number()?;
        let mut imports = Vec::new();
        for _ in 0..count {
            imports.push((self.name()?, self.name()?));
            match self.byte()? {
                // A function: the number of its type.
                0 => drop(self.number()?),
                // A table: the type of its elements, then limits.
                1 => {
                    self.byte()?;
                    self.limits()?;
                }
                // A memory: limits.
                2 => self.limits()?,
                // A global: its type, and whether it changes.
                3 => drop(self.bytes(2)?),
                // A tag: an attribute, then the number of its type.
                4 => {
                    self.byte()?;
                    self.number()?;
                }
                _ => return None,
            }
        }
        Some(imports)
    }

    fn limits(&mut self) -> Option<()> {
        let flags = self.byte()?;
        self.number()?;
        if flags & 1 == 1 {
            self.number()?;
        }
        Some(())
    }

    fn name(&mut self) -> Option<String> {
        let length = self.number()?;
        String::from_utf8(self.bytes(length)?.to_vec()).ok()
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(first)
    }

    /// A number in LEB128, at most 32 bits.
    fn number(&mut self) -> Option<usize> {
        let mut number: u64 = 0;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return usize::try_from(number).ok();
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module with one type and one imported function.
    fn module(from: &str, name: &str) -> Vec<u8> {
        let mut section = vec![1, from.len() as u8];
        section.extend(from.as_bytes());
        section.push(name.len() as u8);
        section.extend(name.as_bytes());
        section.extend([0, 0]);
        let mut bytes = b"\0asm\x01\0\0\0".to_vec();
        bytes.extend([1, 4, 1, 0x60, 0, 0]);
        bytes.push(IMPORTS);
        bytes.push(section.len() as u8);
        bytes.extend(section);
        bytes
    }

    #[test]
    fn an_import_from_env_is_found() {
        let found = findings("a.wasm", &module("env", "memcpy"));
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("memcpy"), "{found:?}");
    }

    #[test]
    fn imports_from_elsewhere_are_fine() {
        assert!(findings("a.wasm", &module("./haggle_bg.js", "env")).is_empty());
        assert!(findings("a.wasm", b"\0asm\x01\0\0\0").is_empty());
    }

    #[test]
    fn what_is_no_module_or_ends_early_is_found() {
        assert_eq!(findings("a.wasm", b"<!DOCTYPE html>").len(), 1);
        let whole = module("./haggle_bg.js", "a");
        assert_eq!(findings("a.wasm", &whole[..whole.len() - 1]).len(), 1);
    }
}
