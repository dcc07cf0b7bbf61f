// The page's own tone, where no program makes the sound: one short tone, or two; never more than one sound
// in ten seconds.

const EVERY = 10_000;
const LOUDEST = 0.3;

let context: AudioContext | null = null;
let last = -Infinity;

/** `volume` 0–100. False: nothing can be heard here; the text says it all the same. */
export function tone(two: boolean, volume: number, force = false): boolean {
  if (!force && performance.now() - last < EVERY) return true;
  last = performance.now();
  if (volume <= 0) return true;
  try {
    context ??= new AudioContext();
    const start = context.currentTime + 0.02;
    const gain = (Math.min(100, volume) / 100) * LOUDEST;
    beep(context, 660, start, gain);
    if (two) beep(context, 880, start + 0.18, gain);
    return true;
  } catch {
    return false;
  }
}

function beep(audio: AudioContext, hertz: number, at: number, gain: number): void {
  const oscillator = audio.createOscillator();
  const volume = audio.createGain();
  oscillator.frequency.value = hertz;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(gain, at + 0.015);
  volume.gain.exponentialRampToValueAtTime(0.001, at + 0.15);
  oscillator.connect(volume).connect(audio.destination);
  oscillator.start(at);
  oscillator.stop(at + 0.16);
}
