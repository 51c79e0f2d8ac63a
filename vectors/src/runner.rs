//! Plays cases against an implementation, and judges its answers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::format::{Case, Object, Outcome, Step, Unchanged, VectorFile};

/// Whatever speaks the driver protocol (`vectors/README.md`).
pub trait Implementation {
    /// Answers one request.
    ///
    /// # Errors
    /// Only when no answer can be had at all.
    fn call(&mut self, request: &Value) -> Outcome<Value>;
}

/// Plays one case: the answers to its requests, in order.
///
/// # Errors
/// A mistake in the file, or an implementation that does not answer.
pub fn play(
    file: &VectorFile,
    case: &Case,
    implementation: &mut dyn Implementation,
) -> Outcome<Vec<Value>> {
    let requests = case
        .steps
        .iter()
        .filter_map(|step| request(file, step).transpose());
    requests
        .map(|request| implementation.call(&request?))
        .collect()
}

/// The request of a step, all values in it resolved; `None` for a step that asks nothing.
fn request(file: &VectorFile, step: &Step) -> Outcome<Option<Value>> {
    let Some(op) = &step.op else { return Ok(None) };
    let mut request = file.resolve_object(&step.inputs)?;
    if let Some(draws) = &step.draws {
        let draws = draws.iter().map(|draw| file.resolve(&json!(draw.bytes)));
        request.insert("draws".into(), draws.collect::<Outcome<Value>>()?);
    }
    request.insert("op".into(), json!(op));
    Ok(Some(Value::Object(request)))
}

/// Judges the answers to a case.
///
/// # Errors
/// The first difference, in words.
pub fn judge(file: &VectorFile, case: &Case, answers: &[Value]) -> Outcome<()> {
    let asked = case.steps.iter().filter(|step| step.op.is_some());
    if asked.clone().count() != answers.len() {
        return Err("answers and steps do not pair".into());
    }
    let mut seen = BTreeMap::new();
    for (number, (step, answer)) in asked.zip(answers).enumerate() {
        let op = step.op.as_deref().unwrap_or_default();
        judge_step(file, step, answer, &mut seen)
            .map_err(|reason| format!("step {number} ({op}): {reason}"))?;
    }
    Ok(())
}

/// Last fingerprint seen of each account, session and contact.
type Seen = BTreeMap<(&'static str, String), String>;

fn judge_step(file: &VectorFile, step: &Step, answer: &Value, seen: &mut Seen) -> Outcome<()> {
    let expected = expected(file, step)?;
    if *answer != expected {
        return Err(difference(&expected, answer).into());
    }
    let fingerprints = [
        ("account", &step.account),
        ("session", &step.session),
        ("contact", &step.contact),
    ];
    for (kind, fingerprint) in fingerprints {
        let handle = step.inputs.get(kind).and_then(Value::as_str);
        let (Some(handle), Some(fingerprint)) = (handle, fingerprint) else {
            continue;
        };
        let before = seen.insert((kind, handle.into()), fingerprint.clone());
        if step.state == Some(Unchanged::Unchanged) && before.as_ref() != Some(fingerprint) {
            return Err(format!("the {kind} changed").into());
        }
    }
    Ok(())
}

/// The answer a step expects.
fn expected(file: &VectorFile, step: &Step) -> Outcome<Value> {
    let mut answer = Object::new();
    if let Some(ok) = &step.ok {
        answer.insert("ok".into(), Value::Object(file.resolve_object(ok)?));
    }
    let texts = [
        ("error", &step.error),
        ("account", &step.account),
        ("session", &step.session),
        ("contact", &step.contact),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            answer.insert(name.into(), json!(text));
        }
    }
    Ok(Value::Object(answer))
}

/// Where two answers differ first, shortened for people.
fn difference(expected: &Value, answer: &Value) -> String {
    if let (Value::Object(want), Value::Object(have)) = (expected, answer) {
        for name in want.keys().chain(have.keys()) {
            let (want, have) = (want.get(name), have.get(name));
            if want != have {
                let absent = Value::Null;
                return format!(
                    "{name}: {}",
                    difference(want.unwrap_or(&absent), have.unwrap_or(&absent))
                );
            }
        }
    }
    format!("expected {}, got {}", short(expected), short(answer))
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(160) {
        Some((at, _)) => format!("{}… ({} characters)", text.split_at(at).0, text.len()),
        None => text,
    }
}
