//! A QR code as a PNG.

use png::{BitDepth, ColorType, Encoder};
use qrcode::{Color, EcLevel, QrCode};
use thiserror::Error;

/// White modules around the code (ISO/IEC 18004 asks for four).
const QUIET: usize = 4;

/// Why there is no picture.
#[derive(Debug, Error)]
pub enum QrError {
    #[error("too much for a QR code: {0}")]
    Content(#[from] qrcode::types::QrError),
    #[error("the picture cannot be written: {0}")]
    Png(#[from] png::EncodingError),
}

/// Draws `text`, `module` pixels per module (1 to 32), black on white, with medium error correction.
///
/// # Errors
/// [`QrError`] when the text is too long.
pub fn png(text: &str, module: usize) -> Result<Vec<u8>, QrError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M)?;
    let module = module.clamp(1, 32);
    let (width, colors) = (code.width(), code.to_colors());
    let side = (width + 2 * QUIET) * module;
    let dark = |x: usize, y: usize| {
        let (Some(column), Some(row)) = ((x / module).checked_sub(QUIET), (y / module).checked_sub(QUIET)) else {
            return false;
        };
        column < width && colors.get(row * width + column) == Some(&Color::Dark)
    };
    let mut pixels = Vec::with_capacity(side * side.div_ceil(8));
    for y in 0..side {
        // One bit per pixel, most significant first, each row from a new byte; 1 is white.
        for byte in 0..side.div_ceil(8) {
            let bits = (0..8).fold(0_u8, |bits, bit| bits << 1 | u8::from(!dark(byte * 8 + bit, y)));
            pixels.push(bits);
        }
    }
    let mut bytes = Vec::new();
    // At most 185 modules of 32 pixels: far below the format's limit.
    let mut encoder = Encoder::new(&mut bytes, side as u32, side as u32);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The picture as rows of modules, read back from the PNG.
    fn modules(bytes: &[u8], module: usize) -> Vec<Vec<bool>> {
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut buffer).unwrap();
        assert_eq!((info.width, info.color_type, info.bit_depth), (info.height, ColorType::Grayscale, BitDepth::One));
        let dark = |x: usize, y: usize| buffer[y * info.line_size + x / 8] >> (7 - x % 8) & 1 == 0;
        let middle = |index: usize| index * module + module / 2;
        let side = info.width as usize / module;
        (0..side).map(|y| (0..side).map(|x| dark(middle(x), middle(y))).collect()).collect()
    }

    #[test]
    fn the_picture_shows_the_code_with_its_quiet_zone() {
        let text = "KALEL:".repeat(28);
        let code = QrCode::with_error_correction_level(&text, EcLevel::M).unwrap();
        for module in [1, 3, 8] {
            let rows = modules(&png(&text, module).unwrap(), module);
            assert_eq!(rows.len(), code.width() + 8);
            for (y, row) in rows.iter().enumerate() {
                for (x, dark) in row.iter().enumerate() {
                    let inside = (4..4 + code.width()).contains(&x) && (4..4 + code.width()).contains(&y);
                    assert_eq!(
                        *dark,
                        inside && code[(x - 4 * usize::from(inside), y - 4 * usize::from(inside))] == Color::Dark
                    );
                }
            }
        }
    }

    #[test]
    fn a_ticket_makes_a_small_code() {
        // 170 alphanumeric characters fit into version 7 (45 modules) with medium correction.
        let code = QrCode::with_error_correction_level("A".repeat(170), EcLevel::M).unwrap();
        assert_eq!(code.width(), 45);
        assert!(png(&"A".repeat(170), 8).unwrap().len() < 4_096);
        assert!(png(&"A".repeat(10_000), 8).is_err());
    }
}
