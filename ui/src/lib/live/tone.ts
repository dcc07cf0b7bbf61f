// One short tone for a warning, two for a critical; never more than one sound in ten seconds.

const EVERY = 10_000;

let context: AudioContext | null = null;
let last = -Infinity;

export function tone(critical: boolean, force = false): void {
  if (!force && performance.now() - last < EVERY) return;
  last = performance.now();
  try {
    context ??= new AudioContext();
    const start = context.currentTime + 0.02;
    beep(context, 660, start);
    if (critical) beep(context, 880, start + 0.18);
  } catch {
    // No audio device: the text says it all the same.
  }
}

function beep(audio: AudioContext, hertz: number, at: number): void {
  const oscillator = audio.createOscillator();
  const volume = audio.createGain();
  oscillator.frequency.value = hertz;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.18, at + 0.015);
  volume.gain.exponentialRampToValueAtTime(0.001, at + 0.15);
  oscillator.connect(volume).connect(audio.destination);
  oscillator.start(at);
  oscillator.stop(at + 0.16);
}
