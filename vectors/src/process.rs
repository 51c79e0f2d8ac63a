//! An implementation as a child process that speaks the driver protocol.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::format::Outcome;
use crate::runner::Implementation;

/// A running driver. Ends with its standard input.
pub struct Process {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Process {
    /// Starts a driver: a program and its arguments, separated by spaces.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(command: &str) -> Outcome<Self> {
        let mut words = command.split_whitespace();
        let program = words.next().ok_or("an empty command")?;
        let mut child = Command::new(program)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{command}: {error}"))?;
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().ok_or("no output")?);
        Ok(Self {
            child,
            requests,
            answers,
        })
    }
}

impl Implementation for Process {
    fn call(&mut self, request: &Value) -> Outcome<Value> {
        let pipe = self.requests.as_mut().ok_or("the driver has no input")?;
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        pipe.write_all(&line)?;
        pipe.flush()?;
        let mut answer = String::new();
        if self.answers.read_line(&mut answer)? == 0 {
            return Err("the driver has ended".into());
        }
        Ok(serde_json::from_str(&answer)?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.requests.take());
        // A driver ends when its input does; one that does not is not our problem to report here.
        let _ = self.child.wait();
    }
}
