//! Writes cases by playing them: every step is asked of the Rust implementation, and its answer becomes the
//! expectation. That a step succeeds, and with which error it fails, the generator says itself; that the bytes
//! are right, the second implementation says (`conform`).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::anatomy::{ContactAnatomy, SessionAnatomy};
use crate::draws::Stream;
use crate::driver::Driver;
use crate::format::{
    Case, Definition, Draw, Event, Layer, Object, Outcome, Step, Unchanged, VectorFile, Verdict,
    counted,
};

/// A file in the making.
pub struct Builder {
    file: VectorFile,
}

/// A case in the making.
pub struct Scene<'a> {
    driver: Driver,
    stream: Stream,
    steps: Vec<Step>,
    values: &'a mut BTreeMap<String, Definition>,
    /// What the next steps are, in scripts.
    event: Option<Event>,
    refused: bool,
}

/// What a step gave.
pub struct Answer(Object);

impl Answer {
    /// An output.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn get(&self, name: &str) -> Outcome<&Value> {
        self.0
            .get(name)
            .ok_or_else(|| format!("no output {name}").into())
    }

    /// An output that is text or bytes.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn text(&self, name: &str) -> Outcome<String> {
        Ok(self.get(name)?.as_str().ok_or("not a text")?.to_owned())
    }
}

impl Builder {
    /// A file without cases.
    pub fn new(layer: Layer, about: &str) -> Self {
        Self {
            file: VectorFile {
                schema: "../schema/vectors.schema.json".into(),
                license: "CC0-1.0".into(),
                spec: "Marline protocol, version 1 (spec/marline.md)".into(),
                version: "1.0.0".into(),
                generator: concat!("marline-vectors ", env!("CARGO_PKG_VERSION")).into(),
                provenance: "made by the Rust implementation; agreed by spec/reference (Python), written from the text alone".into(),
                suite: "X25519, ML-KEM-768, ML-KEM-1024, Ed25519, ML-DSA-65, ChaCha20-Poly1305, SHA3-256, SHAKE256".into(),
                layer,
                about: about.into(),
                values: BTreeMap::new(),
                cases: Vec::new(),
            },
        }
    }

    /// Adds a case. `requirements` are ids, separated by spaces.
    ///
    /// # Errors
    /// What `play` reports, with the case's id.
    pub fn case(
        &mut self,
        id: &str,
        requirements: &str,
        about: &str,
        play: impl FnOnce(&mut Scene<'_>) -> Outcome<()>,
    ) -> Outcome<()> {
        let mut scene = Scene {
            driver: Driver::default(),
            stream: Stream::new(&format!("marline vectors v1 {id}")),
            steps: Vec::new(),
            values: &mut self.file.values,
            event: None,
            refused: false,
        };
        play(&mut scene).map_err(|reason| format!("{id}: {reason}"))?;
        let result = if scene.refused {
            Verdict::Reject
        } else {
            Verdict::Accept
        };
        self.file.cases.push(Case {
            id: id.into(),
            about: about.into(),
            requirements: requirements.split_whitespace().map(Into::into).collect(),
            result,
            steps: scene.steps,
        });
        Ok(())
    }

    /// The file, with names in the place of the named bytes.
    ///
    /// # Errors
    /// A value that is defined in terms of none.
    pub fn finish(mut self) -> Outcome<VectorFile> {
        self.share();
        let mut names = BTreeMap::new();
        for name in self.file.values.keys() {
            // The plainest definition names the bytes: a splice that changes nothing would be a mistake.
            names
                .entry(self.file.value(name)?)
                .or_insert_with(|| format!("@{name}"));
        }
        for step in self.file.cases.iter_mut().flat_map(|case| &mut case.steps) {
            rename(step.inputs.values_mut(), &names);
            rename(step.ok.iter_mut().flat_map(Object::values_mut), &names);
        }
        let used = used(&self.file);
        self.file.values.retain(|name, _| used.contains(name));
        Ok(self.file)
    }

    /// Names long byte strings that occur more than once.
    fn share(&mut self) {
        let known: Vec<String> = self
            .file
            .values
            .keys()
            .filter_map(|name| self.file.value(name).ok())
            .collect();
        let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        let mut order = 0;
        for step in self.file.cases.iter().flat_map(|case| &case.steps) {
            let values = step
                .inputs
                .values()
                .chain(step.ok.iter().flat_map(Object::values));
            for value in values {
                strings(value, &mut |text| {
                    if text.len() >= 400 {
                        order += 1;
                        counts.entry(text.into()).or_insert((order, 0)).1 += 1;
                    }
                });
            }
        }
        let mut shared: Vec<_> = counts
            .into_iter()
            .filter(|(text, (_, count))| *count > 1 && !known.contains(text))
            .collect();
        shared.sort_by_key(|(_, (order, _))| *order);
        for (number, (text, _)) in shared.into_iter().enumerate() {
            self.file
                .values
                .insert(format!("shared {}", number + 1), Definition::Bytes(text));
        }
    }
}

fn strings(value: &Value, visit: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, visit)),
        Value::Object(fields) => fields.values().for_each(|field| strings(field, visit)),
        _ => {}
    }
}

fn rename<'a>(values: impl IntoIterator<Item = &'a mut Value>, names: &BTreeMap<String, String>) {
    for value in values {
        match value {
            // Short strings stay: an empty name would catch every empty input.
            Value::String(text) if text.len() >= 64 => {
                if let Some(name) = names.get(text.as_str()) {
                    name.clone_into(text);
                }
            }
            Value::Array(items) => rename(items, names),
            Value::Object(fields) => rename(fields.values_mut(), names),
            _ => {}
        }
    }
}

/// Names of the values that some step uses, directly or through another.
fn used(file: &VectorFile) -> Vec<String> {
    let mut used: Vec<String> = Vec::new();
    for step in file.cases.iter().flat_map(|case| &case.steps) {
        for value in step
            .inputs
            .values()
            .chain(step.ok.iter().flat_map(Object::values))
        {
            strings(value, &mut |text| {
                used.extend(text.strip_prefix('@').map(Into::into))
            });
        }
    }
    let mut at = 0;
    while let Some(name) = used.get(at) {
        match file.values.get(name) {
            Some(Definition::Splice { of, .. }) => used.push(of.clone()),
            Some(Definition::Join { join }) => used.extend(join.clone()),
            _ => {}
        }
        at += 1;
    }
    used
}

impl Scene<'_> {
    /// Marks the steps that follow.
    pub fn event(&mut self, event: Event) -> &mut Self {
        self.event = Some(event);
        self
    }

    /// The stream of this case's randomness.
    pub fn stream(&mut self) -> &mut Stream {
        &mut self.stream
    }

    /// Fresh bytes in hexadecimal.
    pub fn fresh(&mut self, length: usize) -> String {
        hex::encode(self.stream.take(length))
    }

    /// Names a byte string.
    pub fn name(&mut self, name: &str, bytes: &str) -> String {
        self.values
            .insert(name.into(), Definition::Bytes(bytes.into()));
        bytes.into()
    }

    /// Names the same bytes many times.
    pub fn repeat(&mut self, name: &str, bytes: &str, times: usize) -> String {
        let repeat = bytes.into();
        self.values
            .insert(name.into(), Definition::Repeat { repeat, times });
        bytes.repeat(times)
    }

    /// Names the join of values.
    pub fn join(&mut self, name: &str, parts: &[(&str, &str)]) -> String {
        let join = parts.iter().map(|(name, _)| (*name).into()).collect();
        self.values.insert(name.into(), Definition::Join { join });
        parts.iter().map(|(_, bytes)| *bytes).collect()
    }

    /// Names the numbers 1 to `count`, each in `width` bytes and followed by `then`.
    pub fn count(&mut self, name: &str, count: u64, width: usize, then: &str) -> String {
        let definition = Definition::Count {
            count,
            width,
            then: then.into(),
        };
        self.values.insert(name.into(), definition);
        counted(count, width, then)
    }

    /// Names a value that differs from another: `remove` bytes at `at` become `insert`.
    ///
    /// # Errors
    /// Outside of the other, or no difference.
    pub fn splice(
        &mut self,
        name: &str,
        (of, bytes): (&str, &str),
        at: usize,
        remove: usize,
        insert: &str,
    ) -> Outcome<String> {
        let head = bytes.get(..2 * at).ok_or("splice outside")?;
        let tail = bytes.get(2 * (at + remove)..).ok_or("splice outside")?;
        let spliced = [head, insert, tail].concat();
        if spliced == bytes {
            return Err(format!("splice {name} changes nothing").into());
        }
        let definition = Definition::Splice {
            of: of.into(),
            at,
            remove,
            insert: insert.into(),
        };
        self.values.insert(name.into(), definition);
        Ok(spliced)
    }

    /// Names a value that differs from another in the lowest bit of one byte.
    ///
    /// # Errors
    /// Outside of the other.
    pub fn flip(&mut self, name: &str, of: (&str, &str), at: usize) -> Outcome<String> {
        let byte = of.1.get(2 * at..2 * at + 2).ok_or("flip outside")?;
        let flipped = u8::from_str_radix(byte, 16)? ^ 1;
        self.splice(name, of, at, 1, &format!("{flipped:02x}"))
    }

    /// Steps that are not part of the case, with randomness of their own: cases that say the same name start from the
    /// same devices.
    ///
    /// # Errors
    /// What `play` reports.
    pub fn unrecorded<T>(
        &mut self,
        name: &str,
        play: impl FnOnce(&mut Self) -> Outcome<T>,
    ) -> Outcome<T> {
        let stream = Stream::new(&format!("marline vectors v1 {name}"));
        let stream = std::mem::replace(&mut self.stream, stream);
        let (recorded, refused) = (self.steps.len(), self.refused);
        let result = play(self);
        self.steps.truncate(recorded);
        (self.stream, self.refused) = (stream, refused);
        result
    }

    /// A request that is not part of the case.
    ///
    /// # Errors
    /// An error or a fault.
    pub fn aside(&mut self, request: Value) -> Outcome<Answer> {
        let answer = self.driver.handle(&request);
        match answer.get("ok").and_then(Value::as_object) {
            Some(ok) => Ok(Answer(ok.clone())),
            None => Err(format!("aside: {answer}").into()),
        }
    }

    /// The encoded state of a session, which is not part of the case.
    ///
    /// # Errors
    /// There is no such session.
    pub fn state_of(&mut self, session: &str) -> Outcome<String> {
        self.aside(json!({ "op": "state", "session": session }))?
            .text("state")
    }

    /// What a contact holds.
    ///
    /// # Errors
    /// There is no such contact.
    pub fn contact_anatomy(&mut self, contact: &str) -> Outcome<ContactAnatomy> {
        let state = self.aside(json!({ "op": "state", "contact": contact }))?;
        ContactAnatomy::read(&hex::decode(state.text("state")?)?)
    }

    /// What the external signer of an account was asked to sign last, in hexadecimal.
    ///
    /// # Errors
    /// There is none, or it was not asked.
    pub fn asked(&self, account: &str) -> Outcome<String> {
        let asked = self.driver.asked(account).ok_or("no signer was asked")?;
        Ok(hex::encode(asked))
    }

    /// What a session holds.
    ///
    /// # Errors
    /// There is no such session.
    pub fn anatomy(&mut self, session: &str) -> Outcome<SessionAnatomy> {
        SessionAnatomy::read(&hex::decode(self.state_of(session)?)?)
    }

    /// A step that succeeds and draws nothing.
    ///
    /// # Errors
    /// It does not.
    pub fn ask(&mut self, op: &str, inputs: Value) -> Outcome<Answer> {
        self.step(op, inputs, None, None)
    }

    /// A step that succeeds and draws: names and lengths.
    ///
    /// # Errors
    /// It does not.
    pub fn draw(&mut self, op: &str, inputs: Value, draws: &[(&str, usize)]) -> Outcome<Answer> {
        let draws = self.draws(draws);
        self.step(op, inputs, Some(draws), None)
    }

    /// A step that is refused with this error and changes nothing.
    ///
    /// # Errors
    /// It is not.
    pub fn refuse(&mut self, op: &str, inputs: Value, error: &str) -> Outcome<()> {
        self.step(op, inputs, None, Some(error)).map(drop)
    }

    /// A step that would draw and is refused.
    ///
    /// # Errors
    /// It is not.
    pub fn refuse_drawing(
        &mut self,
        op: &str,
        inputs: Value,
        draws: &[(&str, usize)],
        error: &str,
    ) -> Outcome<()> {
        let draws = self.draws(draws);
        self.step(op, inputs, Some(draws), Some(error)).map(drop)
    }

    /// Draws from the case's stream.
    pub fn draws(&mut self, draws: &[(&str, usize)]) -> Vec<Draw> {
        let stream = &mut self.stream;
        let draw = |(name, length): &(&str, usize)| Draw {
            name: (*name).into(),
            bytes: hex::encode(stream.take(*length)),
        };
        draws.iter().map(draw).collect()
    }

    /// Says something about the last step.
    pub fn note(&mut self, about: &str) {
        if let Some(step) = self.steps.last_mut() {
            step.about = Some(about.into());
        }
    }

    /// Something that happens without a request.
    pub fn happens(&mut self, event: Event, about: &str) {
        self.steps.push(Step {
            event: Some(event),
            about: Some(about.into()),
            ..Default::default()
        });
    }

    /// A step with given draws, which succeeds or fails as said.
    ///
    /// # Errors
    /// It does otherwise.
    pub fn step(
        &mut self,
        op: &str,
        inputs: Value,
        draws: Option<Vec<Draw>>,
        error: Option<&str>,
    ) -> Outcome<Answer> {
        let Value::Object(inputs) = inputs else {
            return Err("inputs must be an object".into());
        };
        let mut request = inputs.clone();
        request.insert("op".into(), json!(op));
        if let Some(draws) = &draws {
            request.insert(
                "draws".into(),
                draws.iter().map(|draw| draw.bytes.as_str()).collect(),
            );
        }
        let answer = self.driver.handle(&Value::Object(request));
        let text = |name: &str| answer.get(name).and_then(Value::as_str).map(Into::into);
        let ok = answer.get("ok").and_then(Value::as_object).cloned();
        let got: Option<String> = text("error");
        if got.as_deref() != error || (error.is_none() && ok.is_none()) {
            return Err(format!(
                "step {} ({op}) must give {error:?}: {answer}",
                self.steps.len()
            )
            .into());
        }
        let invalid = ok.as_ref().and_then(|ok| ok.get("valid")) == Some(&Value::Bool(false));
        let unreadable = json!({ "event": "Unreadable" });
        let events = ok.as_ref().and_then(|ok| ok.get("events")?.as_array());
        let unread = events.is_some_and(|events| events.contains(&unreadable));
        self.refused |= error.is_some() || invalid || unread;
        // A failed agreement ends the session: the one error that changes a state (M-RX-08).
        let keeps = error.is_some()
            && !(op == "decrypt" && error == Some("AgreementFailed") && self.ends(&inputs));
        self.steps.push(Step {
            event: self.event,
            about: None,
            op: Some(op.into()),
            inputs,
            draws,
            ok: ok.clone(),
            error: got,
            state: keeps.then_some(Unchanged::Unchanged),
            account: text("account"),
            session: text("session"),
            contact: text("contact"),
        });
        Ok(Answer(ok.unwrap_or_default()))
    }

    /// Whether the session of a step that failed had another state before.
    fn ends(&self, inputs: &Object) -> bool {
        let handle = inputs.get("session");
        let before = self
            .steps
            .iter()
            .rev()
            .find(|step| step.session.is_some() && step.inputs.get("session") == handle);
        let status = handle
            .and_then(Value::as_str)
            .and_then(|name| self.driver.session_fingerprint(name));
        before.and_then(|step| step.session.clone()) != status
    }
}
