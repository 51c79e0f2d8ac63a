//! Sealed states out and in.

use getrandom::SysRng;
use marline::{Session, Slots, StateKey};

use super::{Operation, olm, repeat};
use crate::primitives::Primitives;
use crate::{Outcome, Pair};

pub(super) fn all() -> Outcome<Vec<Operation>> {
    let key = || StateKey::new(&mut [7; 32]);
    let session = Pair::after_turns(Slots::STANDARD, 40)?.initiator;
    let sealed = session.export(&key(), &mut SysRng)?;
    let length = session.to_state().len();
    let export = repeat(move || Ok(session.export(&key(), &mut SysRng)?));
    let import = repeat(move || Ok(Session::import(&key(), &sealed, 0)?));
    let limit = |fresh| -> Outcome<_> {
        let mut primitives = Primitives::new(Slots::STANDARD, length)?;
        Ok(repeat(move || primitives.seal_state(length, fresh)))
    };
    let [olm_export, olm_import] = olm::states()?;
    Ok(vec![
        Operation::new("export a session, sealed", export, limit(true)?).olm(olm_export),
        Operation::new("import a sealed session", import, limit(false)?).olm(olm_import),
    ])
}
