//! A reader of JSON texts (RFC 8259): what it takes is what serde_json takes, without repeated member names.
//!
//! Nothing is trusted on entry: the text may be anything of any length. Nesting is bounded, because the reader calls
//! itself for each level.

use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Map, Number, Value};

use super::JsonError;

/// How deep values may nest.
const MAXIMUM_DEPTH: u8 = 127;

type Read<T> = Result<T, JsonError>;

/// A place in a text.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    text: &'a str,
    position: usize,
    depth: u8,
    /// Whether content is kept, and repeated names are refused; otherwise values are only passed over.
    keeps: bool,
}

impl<'a> Reader<'a> {
    /// At the start of `text`.
    pub(super) const fn of(text: &'a str) -> Self {
        Self {
            text,
            position: 0,
            depth: 0,
            keeps: true,
        }
    }

    /// What `read` finds, when nothing else is in the text.
    pub(super) fn whole<T>(mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        let found = read(&mut self)?;
        self.pass_space();
        if self.position == self.text.len() {
            Ok(found)
        } else {
            Err(JsonError::Malformed)
        }
    }

    /// The next value.
    pub(super) fn value(&mut self) -> Read<Value> {
        self.pass_space();
        match self.peek() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'{') => {
                let mut members = Map::new();
                self.each(b'{', b'}', &mut |reader| {
                    let name = reader.name()?;
                    let value = reader.value()?;
                    if reader.keeps && members.insert(name, value).is_some() {
                        return Err(JsonError::DuplicateMember);
                    }
                    Ok(())
                })?;
                Ok(Value::Object(members))
            }
            Some(b'[') => {
                let mut items = Vec::new();
                self.each(b'[', b']', &mut |reader| {
                    let item = reader.value()?;
                    if reader.keeps {
                        items.push(item);
                    }
                    Ok(())
                })?;
                Ok(Value::Array(items))
            }
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => self.number().map(Value::Number),
        }
    }

    /// The members of an object, with values as they are written.
    pub(super) fn written_members(&mut self) -> Read<Vec<(String, &'a str)>> {
        let mut members = Vec::new();
        self.each(b'{', b'}', &mut |reader| {
            let name = reader.name()?;
            members.push((name, reader.written_value()?));
            Ok(())
        })?;
        Ok(members)
    }

    /// The items of a list, as they are written.
    pub(super) fn written_items(&mut self) -> Read<Vec<&'a str>> {
        let mut items = Vec::new();
        self.each(b'[', b']', &mut |reader| {
            items.push(reader.written_value()?);
            Ok(())
        })?;
        Ok(items)
    }

    fn written_value(&mut self) -> Read<&'a str> {
        self.pass_space();
        let start = self.position;
        self.keeps = false;
        self.value()?;
        self.keeps = true;
        self.since(start)
    }

    /// Calls `read` at each item between the brackets.
    fn each(&mut self, open: u8, close: u8, read: &mut dyn FnMut(&mut Self) -> Read<()>) -> Read<()> {
        self.expect(open)?;
        if self.depth == MAXIMUM_DEPTH {
            return Err(JsonError::Malformed);
        }
        self.depth += 1;
        self.pass_space();
        if self.peek() != Some(close) {
            read(self)?;
            self.pass_space();
            while self.peek() == Some(b',') {
                self.position += 1;
                read(self)?;
                self.pass_space();
            }
        }
        self.depth -= 1;
        self.expect(close)
    }

    /// A member's name and the colon.
    fn name(&mut self) -> Read<String> {
        self.pass_space();
        let name = self.string()?;
        self.expect(b':')?;
        Ok(name)
    }

    fn word(&mut self, word: &str, value: Value) -> Read<Value> {
        let rest = self.text.get(self.position..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(JsonError::Malformed);
        }
        self.position += word.len();
        Ok(value)
    }

    fn string(&mut self) -> Read<String> {
        self.expect(b'"')?;
        let mut content = String::new();
        loop {
            let start = self.position;
            while self
                .peek()
                .is_some_and(|byte| byte >= b' ' && byte != b'"' && byte != b'\\')
            {
                self.position += 1;
            }
            if self.keeps {
                content.push_str(self.since(start)?);
            }
            match self.next() {
                Some(b'"') => return Ok(content),
                Some(b'\\') => {
                    let character = self.escaped()?;
                    if self.keeps {
                        content.push(character);
                    }
                }
                _ => return Err(JsonError::Malformed),
            }
        }
    }

    /// What follows a backslash.
    fn escaped(&mut self) -> Read<char> {
        match self.next() {
            Some(byte @ (b'"' | b'\\' | b'/')) => Ok(char::from(byte)),
            Some(b'b') => Ok('\u{8}'),
            Some(b'f') => Ok('\u{c}'),
            Some(b'n') => Ok('\n'),
            Some(b'r') => Ok('\r'),
            Some(b't') => Ok('\t'),
            Some(b'u') => {
                let mut code = self.four_digits()?;
                // Beyond the first 65,536 characters two halves are written (RFC 8259 section 7).
                if (0xd800..0xdc00).contains(&code) && self.next() == Some(b'\\') && self.next() == Some(b'u')
                {
                    let low = self.four_digits()?;
                    if (0xdc00..0xe000).contains(&low) {
                        code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                    }
                }
                // Half a character is none.
                char::from_u32(code).ok_or(JsonError::Malformed)
            }
            _ => Err(JsonError::Malformed),
        }
    }

    fn four_digits(&mut self) -> Read<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.next().and_then(|byte| char::from(byte).to_digit(16));
            code = code * 16 + digit.ok_or(JsonError::Malformed)?;
        }
        Ok(code)
    }

    fn number(&mut self) -> Read<Number> {
        let start = self.position;
        let is_negative = self.is_next(b'-');
        let leading = self.digits()?;
        if leading.len() > 1 && leading.starts_with('0') {
            return Err(JsonError::Malformed);
        }
        let fraction = if self.is_next(b'.') { self.digits()? } else { "" };
        let mut exponent = None;
        if self.is_next(b'e') || self.is_next(b'E') {
            let is_small = self.is_next(b'-');
            if !is_small {
                self.is_next(b'+');
            }
            exponent = Some((is_small, self.digits()?));
        }
        if !self.keeps {
            return Ok(Number::from(0));
        }
        if fraction.is_empty() && exponent.is_none() {
            let written = self.since(start)?;
            let whole = if is_negative {
                written.parse::<i64>().map(Number::from)
            } else {
                written.parse::<u64>().map(Number::from)
            };
            if let Ok(whole) = whole {
                return Ok(whole);
            }
        }
        let (is_small, exponent) = exponent.unwrap_or((false, ""));
        let exponent = exponent.bytes().fold(0, |exponent: i32, digit| {
            exponent
                .saturating_mul(10)
                .saturating_add(i32::from(digit - b'0'))
        });
        let magnitude = magnitude(leading, fraction, if is_small { -exponent } else { exponent });
        let number = if is_negative { -magnitude } else { magnitude };
        // There is no number for what is infinite.
        Number::from_f64(number).ok_or(JsonError::Malformed)
    }

    /// Digits, one at least.
    fn digits(&mut self) -> Read<&'a str> {
        let start = self.position;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.position += 1;
        }
        self.since(start).and_then(|digits| {
            if digits.is_empty() {
                Err(JsonError::Malformed)
            } else {
                Ok(digits)
            }
        })
    }

    fn pass_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.position += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.position += 1;
        Some(byte)
    }

    /// Passes `byte` if it is next, and says whether it was.
    fn is_next(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.position += usize::from(is_next);
        is_next
    }

    /// Passes space and `byte`.
    fn expect(&mut self, byte: u8) -> Read<()> {
        self.pass_space();
        if self.is_next(byte) {
            Ok(())
        } else {
            Err(JsonError::Malformed)
        }
    }

    /// The text from `start` to here.
    fn since(&self, start: usize) -> Read<&'a str> {
        self.text.get(start..self.position).ok_or(JsonError::Malformed)
    }
}

/// `leading.fraction` times ten to the power of `exponent`. Digits beyond the 18th are not looked at.
fn magnitude(leading: &str, fraction: &str, exponent: i32) -> f64 {
    let mut significand = 0_u64;
    let mut exponent = exponent;
    for (digits, after_point) in [(leading, false), (fraction, true)] {
        for digit in digits.bytes() {
            let is_kept = significand < 1_000_000_000_000_000_000;
            if is_kept {
                significand = significand * 10 + u64::from(digit - b'0');
            }
            exponent = exponent.saturating_add(match (is_kept, after_point) {
                (true, true) => -1,
                (false, false) => 1,
                (true, false) | (false, true) => 0,
            });
        }
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "what is lost lies beyond the 15th digit"
    )]
    let mut magnitude = significand as f64;
    // Powers up to the 22nd are exact.
    while exponent != 0 && magnitude != 0.0 && magnitude.is_finite() {
        let step = exponent.clamp(-22, 22);
        let power = (0..step.abs()).fold(1.0, |power, _| power * 10.0);
        magnitude = if step < 0 {
            magnitude / power
        } else {
            magnitude * power
        };
        exponent -= step;
    }
    magnitude
}
