//! A tiny painter: shapes are questions ("is this point inside?"), edges are smoothed by asking often.

/// Red, green, blue, opacity.
pub type Rgba = [u8; 4];

/// A square picture in a coordinate system of its own (`unit` wide and high), whatever its pixels.
pub struct Canvas {
    /// Pixels a side.
    pub size: u32,
    /// Row by row, four bytes a pixel, opacity not multiplied in.
    pub pixels: Vec<u8>,
    unit: f64,
}

/// Questions per pixel and axis.
const SAMPLES: u32 = 8;

impl Canvas {
    /// An empty, fully transparent picture.
    pub fn new(size: u32, unit: f64) -> Self {
        Self { size, pixels: vec![0; (size * size * 4) as usize], unit }
    }

    /// Lays a colour over every point that the shape holds.
    pub fn fill(&mut self, colour: Rgba, inside: impl Fn(f64, f64) -> bool) {
        self.each(&inside, |pixel, share| over(pixel, colour, share));
    }

    /// Makes every point that the shape holds transparent again.
    pub fn cut(&mut self, inside: impl Fn(f64, f64) -> bool) {
        self.each(&inside, |pixel, share| {
            pixel[3] = (f64::from(pixel[3]) * (1.0 - share)).round() as u8;
        });
    }

    fn each(&mut self, inside: &impl Fn(f64, f64) -> bool, paint: impl Fn(&mut [u8], f64)) {
        let step = self.unit / f64::from(self.size);
        for row in 0..self.size {
            for column in 0..self.size {
                let hits = (0..SAMPLES * SAMPLES)
                    .filter(|n| {
                        let x = f64::from(column) + (f64::from(n % SAMPLES) + 0.5) / f64::from(SAMPLES);
                        let y = f64::from(row) + (f64::from(n / SAMPLES) + 0.5) / f64::from(SAMPLES);
                        inside(x * step, y * step)
                    })
                    .count();
                if hits > 0 {
                    let at = ((row * self.size + column) * 4) as usize;
                    paint(&mut self.pixels[at..at + 4], hits as f64 / f64::from(SAMPLES * SAMPLES));
                }
            }
        }
    }
}

/// "Source over" with opacity kept apart from the colour, as PNG wants it.
fn over(pixel: &mut [u8], colour: Rgba, share: f64) {
    let new = f64::from(colour[3]) / 255.0 * share;
    let old = f64::from(pixel[3]) / 255.0;
    let all = new + old * (1.0 - new);
    for channel in 0..3 {
        let mixed = (f64::from(colour[channel]) * new + f64::from(pixel[channel]) * old * (1.0 - new)) / all;
        pixel[channel] = mixed.round() as u8;
    }
    pixel[3] = (all * 255.0).round() as u8;
}

/// A rectangle with round corners.
pub fn block(left: f64, top: f64, width: f64, height: f64, radius: f64) -> impl Fn(f64, f64) -> bool {
    move |x, y| {
        let across = (x - left - width / 2.0).abs() - (width / 2.0 - radius);
        let down = (y - top - height / 2.0).abs() - (height / 2.0 - radius);
        let (a, d) = (across.max(0.0), down.max(0.0));
        across <= radius && down <= radius && a * a + d * d <= radius * radius
    }
}

/// A circle.
pub fn disc(cx: f64, cy: f64, radius: f64) -> impl Fn(f64, f64) -> bool {
    move |x, y| (x - cx).powi(2) + (y - cy).powi(2) <= radius * radius
}

/// A square standing on its corner.
pub fn diamond(cx: f64, cy: f64, reach: f64) -> impl Fn(f64, f64) -> bool {
    move |x, y| (x - cx).abs() + (y - cy).abs() <= reach
}

/// A triangle standing on its base.
pub fn triangle(cx: f64, top: f64, width: f64, height: f64) -> impl Fn(f64, f64) -> bool {
    move |x, y| {
        let down = (y - top) / height;
        (0.0..=1.0).contains(&down) && (x - cx).abs() <= down * width / 2.0
    }
}

/// Slanted stripes, `on` wide with `off` between: the sign of what is old.
pub fn stripes(on: f64, off: f64) -> impl Fn(f64, f64) -> bool {
    move |x, y| (x + y).rem_euclid(on + off) < on
}
