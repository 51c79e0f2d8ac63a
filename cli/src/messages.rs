//! Sending and receiving files.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use marline_device::{Device, Error as DeviceError, Event, ProtocolError, Trust};

use crate::args::{ReceiveArgs, SendArgs};
use crate::error::{Error, Result};
use crate::stream::{self, Form};
use crate::transfer::{PIECE, Piece, Progress};
use crate::{note, now};

/// Below this a progress bar only flickers.
const LONG: u64 = 8 << 20;

/// `marline send`
pub fn send(device: &mut Device, args: &SendArgs) -> Result<()> {
    let form = Form::new(args.armor, args.raw);
    let mut out = Output::new(args.output.as_deref())?;
    if let Some(contact) = &args.contact {
        if args.reset {
            let reset = device.reset(contact, now())?;
            stream::write(&mut out.writer, form, &reset.message)?;
            device.mark_sent(reset.id)?;
        }
        send_file(device, contact, args, form, &mut out)?;
    } else {
        for waiting in device.outbox()? {
            stream::write(&mut out.writer, form, &waiting.message)?;
            device.mark_sent(waiting.id)?;
        }
    }
    out.finish()?;
    Ok(device.flush()?)
}

fn send_file(
    device: &mut Device,
    contact: &str,
    args: &SendArgs,
    form: Form,
    out: &mut Output,
) -> Result<()> {
    let (mut input, length) = input(args.file.as_deref())?;
    let bar = bar(length);
    let mut transfer = [0; 16];
    getrandom::fill(&mut transfer).map_err(|_| DeviceError::from(ProtocolError::Randomness))?;
    let mut data = next_piece(&mut input)?;
    let mut offset = 0u64;
    loop {
        // One piece ahead, to know which is the last.
        let next = next_piece(&mut input)?;
        let last = next.is_empty();
        if !last && form == Form::Raw {
            return Err(Error::Input(
                "more than one message: not possible with --raw",
            ));
        }
        let piece = Piece {
            last,
            transfer,
            offset,
            data: &data,
        };
        let outgoing = device.send(contact, &piece.to_bytes(), now())?;
        stream::write(&mut out.writer, form, &outgoing.message)?;
        device.mark_sent(outgoing.id)?;
        bar.inc(data.len() as u64);
        offset = offset.saturating_add(data.len() as u64);
        if last {
            bar.finish_and_clear();
            return Ok(());
        }
        data = next;
    }
}

fn next_piece(input: &mut dyn Read) -> Result<Vec<u8>> {
    let mut piece = Vec::new();
    input.take(PIECE as u64).read_to_end(&mut piece)?;
    Ok(piece)
}

/// `marline receive`
pub fn receive(device: &mut Device, args: &ReceiveArgs) -> Result<()> {
    let (input, length) = input(args.file.as_deref())?;
    let mut input = BufReader::new(input);
    let mut out = Output::new(args.output.as_deref())?;
    let bar = bar(length);
    let mut state = Arriving::default();
    while let Some(message) = stream::read(&mut input, args.raw)? {
        state.take(device, &message, args.from.as_deref(), &mut out)?;
        bar.inc(message.len() as u64);
    }
    bar.finish_and_clear();
    if state.progress.is_open() {
        return Err(Error::Input("the file is not complete: a piece is missing"));
    }
    out.finish()?;
    // Only now: had it failed before, the same input would give the same again.
    for id in state.read {
        device.acknowledge(id)?;
    }
    device.flush()?;
    if state.files == 0 && state.duplicates > 0 {
        return Err(Error::Duplicate);
    }
    Ok(())
}

/// What has arrived so far.
#[derive(Default)]
struct Arriving {
    progress: Progress,
    read: Vec<[u8; 32]>,
    author: Option<String>,
    files: usize,
    duplicates: usize,
}

impl Arriving {
    fn take(
        &mut self,
        device: &mut Device,
        message: &[u8],
        from: Option<&str>,
        out: &mut Output,
    ) -> Result<()> {
        let incoming = match device.receive(message, from, now()) {
            Err(DeviceError::Protocol(ProtocolError::Duplicate)) => {
                self.duplicates += 1;
                return Ok(());
            }
            other => other?,
        };
        for event in &incoming.events {
            explain(&incoming.contact, event);
        }
        self.announce(&incoming.contact, incoming.trust);
        if let Some(plaintext) = incoming.plaintext() {
            let piece = Piece::from_bytes(plaintext)?;
            if self.progress.advance(&piece)? {
                self.files += 1;
            }
            out.writer.write_all(piece.data)?;
        }
        self.read.push(incoming.id);
        Ok(())
    }

    /// Says once who the author is.
    fn announce(&mut self, contact: &str, trust: Trust) {
        if self.author.as_deref() == Some(contact) {
            return;
        }
        let trust = match trust {
            Trust::Verified => "verified",
            Trust::Unverified => "not verified",
            Trust::Other => "NOT THE IDENTITY KNOWN FOR THIS CONTACT",
        };
        note(format_args!("from {contact} ({trust})"));
        self.author = Some(contact.into());
    }
}

fn explain(contact: &str, event: &Event) {
    match event {
        Event::SessionReset { .. } => {
            note(format_args!(
                "{contact} started the session anew: messages may have been lost"
            ));
        }
        Event::SessionFailed { .. } => {
            note(format_args!(
                "the session with {contact} has ended: a message is lost, reset it"
            ));
        }
        Event::SessionEvicted { .. } => {
            note(format_args!(
                "a very old session with {contact} was given up"
            ));
        }
        Event::IdentityChanged { .. } => note(format_args!("{contact} shows another identity")),
        Event::Unreadable => note(format_args!(
            "{contact} sent something this tool cannot read"
        )),
        _ => {}
    }
}

fn input(file: Option<&Path>) -> Result<(Box<dyn Read>, Option<u64>)> {
    Ok(match file {
        Some(path) => {
            let file = File::open(path)?;
            let length = file.metadata()?.len();
            (Box::new(file), Some(length))
        }
        None => (Box::new(io::stdin()), None),
    })
}

fn bar(length: Option<u64>) -> ProgressBar {
    match length {
        Some(length) if length > LONG && io::stderr().is_terminal() => {
            let style = "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
            let bar = ProgressBar::new(length);
            match ProgressStyle::with_template(style) {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        }
        _ => ProgressBar::hidden(),
    }
}

/// Standard output, or a file that appears under its name only when it is complete.
struct Output {
    writer: BufWriter<Box<dyn Write>>,
    rename: Option<(PathBuf, PathBuf)>,
}

impl Output {
    fn new(path: Option<&Path>) -> Result<Self> {
        let (writer, rename): (Box<dyn Write>, _) = match path {
            None => (Box::new(io::stdout()), None),
            Some(path) => {
                let mut part = path.as_os_str().to_owned();
                part.push(".part");
                let part = PathBuf::from(part);
                (
                    Box::new(File::create(&part)?),
                    Some((part, path.to_owned())),
                )
            }
        };
        let writer = BufWriter::new(writer);
        Ok(Self { writer, rename })
    }

    fn finish(mut self) -> Result<()> {
        self.writer.flush()?;
        if let Some((part, path)) = &self.rename {
            File::open(part)?.sync_all()?;
            std::fs::rename(part, path)?;
        }
        Ok(())
    }
}
