//! How many SMS a text takes (3GPP TS 23.038 and 23.040).

const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿\
                     abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENDED: &str = "^{}\\[~]|€";

/// The alphabet needed and the number of messages charged.
pub(crate) fn segments(text: &str) -> (&'static str, usize) {
    let septets = text.chars().try_fold(0, |sum, c| {
        if BASIC.contains(c) {
            Some(sum + 1)
        } else if EXTENDED.contains(c) {
            Some(sum + 2)
        } else {
            None
        }
    });
    let (name, units, single, part) = match septets {
        Some(septets) => ("GSM-7", septets, 160, 153),
        None => ("UCS-2", text.encode_utf16().count(), 70, 67),
    };
    (name, if units <= single { 1 } else { units.div_ceil(part) })
}

#[cfg(test)]
mod tests {
    use super::segments;

    #[test]
    fn a_circumflex_halves_what_fits() {
        assert_eq!(segments(&"e".repeat(160)), ("GSM-7", 1));
        assert_eq!(segments(&"e".repeat(161)), ("GSM-7", 2));
        assert_eq!(segments(&format!("{}ê", "e".repeat(70))), ("UCS-2", 2));
        assert_eq!(segments(&"€".repeat(80)), ("GSM-7", 1));
        assert_eq!(segments(&"€".repeat(81)), ("GSM-7", 2));
    }
}
