//! Many messages in one transaction: the same order of things, the same promises.

use super::*;

#[test]
fn many_messages_share_a_transaction_and_keep_their_order() {
    let home = Home::new();
    let (mut a, mut b, _) = home.pair();
    let texts: Vec<Vec<u8>> = (0..20u8).map(|i| vec![i]).collect();
    let batch: Vec<_> = texts.iter().map(|text| ("b", text.as_slice())).collect();
    let before = a.generation();
    let sent = a.send_many(&batch, SendOptions::default(), NOW).unwrap();
    assert_eq!(a.generation(), before + 1);
    // What a crash right after leaves.
    drop(a);
    let mut a = home.open("a").unwrap();
    assert_eq!(a.outbox().unwrap(), sent);

    let arrived: Vec<_> = sent.iter().map(|out| (&out.message[..], None)).collect();
    let before = b.generation();
    let got = b.receive_many(&arrived, &[], NOW).unwrap();
    assert_eq!(b.generation(), before + 1);
    let plaintexts = got.iter().map(|got| got.as_ref().unwrap().plaintext());
    assert!(plaintexts.eq(texts.iter().map(|text| Some(text.as_slice()))));
    drop(b);
    let mut b = home.open("b").unwrap();
    let waiting = b.inbox().unwrap();
    assert!(
        waiting
            .iter()
            .map(|i| i.id)
            .eq(got.iter().map(|got| got.as_ref().unwrap().id))
    );
    for (out, incoming) in sent.iter().zip(&waiting) {
        a.mark_sent(out.id).unwrap();
        b.acknowledge(incoming.id).unwrap();
    }
    let again = b.receive_many(&arrived, &[], NOW).unwrap();
    assert!(again.iter().all(|refused| matches!(
        refused,
        Err(Error::Protocol(
            ProtocolError::Duplicate | ProtocolError::PrekeyUsed
        ))
    )));
    say(&mut b, "a", &mut a, b"on");
}

#[test]
fn a_batch_that_cannot_be_sent_is_not_begun() {
    let home = Home::new();
    let (mut a, mut b, _) = home.pair();
    say(&mut a, "b", &mut b, b"x");
    a.flush().unwrap();
    let before = (bytes(&home.path("a")), a.generation());
    let batch = [("b", &b"first"[..]), ("nobody", b"second")];
    let refused = a.send_many(&batch, SendOptions::default(), NOW);
    assert!(matches!(refused, Err(Error::NotFound)));
    a.flush().unwrap();
    assert_eq!((bytes(&home.path("a")), a.generation()), before);
    assert!(a.outbox().unwrap().is_empty());
    say(&mut a, "b", &mut b, b"y");
}

#[test]
fn a_refused_message_of_a_batch_stops_none_of_the_others() {
    let home = Home::new();
    let (mut a, mut b, _) = home.pair();
    say(&mut a, "b", &mut b, b"x");
    say(&mut b, "a", &mut a, b"answered");
    let sent: Vec<_> = (0..3u8).map(|i| a.send("b", &[i], NOW).unwrap()).collect();
    let mut forged = sent[1].message.clone();
    *forged.last_mut().unwrap() ^= 1;
    let arrived = [
        (&sent[0].message[..], Some("a")),
        (&forged, None),
        (&sent[0].message, None),
        (&sent[2].message, Some("nobody")),
        (&sent[2].message, None),
        (&sent[1].message, Some("a")),
    ];
    let got = b.receive_many(&arrived, &[], NOW).unwrap();
    let text = |i: usize| got[i].as_ref().unwrap().plaintext().unwrap();
    assert_eq!(
        [text(0), text(2), text(4), text(5)],
        [[0], [0], [2], [1]],
        "in the inbox once, opened once"
    );
    assert!(matches!(
        got[1],
        Err(Error::Protocol(ProtocolError::Authentication))
    ));
    assert!(matches!(got[3], Err(Error::NotFound)));
    assert_eq!(b.inbox().unwrap().len(), 3);
}
