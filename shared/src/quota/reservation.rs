//! What a coordinator keeps in durable storage.

/// How much of a window's limit may have been granted. It is durable before the reply to which it belongs leaves; one is
/// enough, the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// The window's number.
    pub window: u64,
    /// Units: no less than the debit of any reply that left.
    pub reserved: u32,
}

impl Reservation {
    /// How many bytes one takes in storage.
    pub const BYTES: usize = 12;

    /// The bytes to store.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let both = self
            .window
            .to_be_bytes()
            .into_iter()
            .chain(self.reserved.to_be_bytes());
        for (place, byte) in bytes.iter_mut().zip(both) {
            *place = byte;
        }
        bytes
    }

    /// Reads what was stored. `None` when these are not the bytes of a reservation: whoever finds such in storage must
    /// not take them for an empty one.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (window, rest) = bytes.split_first_chunk()?;
        let (reserved, rest) = rest.split_first_chunk()?;
        rest.is_empty().then(|| Self {
            window: u64::from_be_bytes(*window),
            reserved: u32::from_be_bytes(*reserved),
        })
    }
}
