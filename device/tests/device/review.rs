//! What a hostile review found: each was wrong once.

use super::*;

#[test]
fn an_id_that_was_never_given_deletes_nothing() {
    let home = Home::new();
    let mut device = home.create("a");
    // What a refused call leaves in a caller's buffer; the row with the wrapped key has this name.
    device.acknowledge([0; 32]).unwrap();
    device.mark_sent([0; 32]).unwrap();
    device.flush().unwrap();
    drop(device);
    home.open("a").unwrap();
}

#[test]
fn what_is_marked_as_sent_leaves_the_outbox_only_and_what_is_acknowledged_the_inbox_only() {
    let home = Home::new();
    let (mut a, mut b, _) = home.pair();
    let out = a.send("b", b"x", NOW).unwrap();
    let incoming = b.receive(&out.message, None, NOW).unwrap();
    a.acknowledge(out.id).unwrap();
    b.mark_sent(incoming.id).unwrap();
    for device in [&mut a, &mut b] {
        device.flush().unwrap();
    }
    assert_eq!((a.outbox().unwrap().len(), b.inbox().unwrap().len()), (1, 1));
}
