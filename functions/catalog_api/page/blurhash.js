// Decodes a BlurHash (https://blurha.sh): a few cosine components of a picture, as about thirty characters.

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~';

const number = (text) => [...text].reduce((sum, digit) => sum * 83 + DIGITS.indexOf(digit), 0);
const toLinear = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
const toByte = (value) => {
  const bounded = Math.min(1, Math.max(0, value));
  return Math.round(255 * (bounded <= 0.0031308 ? bounded * 12.92 : 1.055 * bounded ** (1 / 2.4) - 0.055));
};
const signedSquare = (value) => Math.sign(value) * value * value;

function components(hash) {
  const most = (number(hash[1]) + 1) / 166;
  const found = [];
  for (let at = 6; at < hash.length; at += 2) {
    const value = number(hash.slice(at, at + 2));
    found.push([Math.floor(value / 361), Math.floor(value / 19) % 19, value % 19].map((part) => signedSquare((part - 9) / 9) * most));
  }
  const average = number(hash.slice(2, 6));
  return [[average >> 16, (average >> 8) & 255, average & 255].map(toLinear), ...found];
}

/** Whether a text is a BlurHash of the length that it announces. */
export function isBlurhash(hash) {
  if (typeof hash !== 'string' || hash.length < 6) return false;
  const size = number(hash[0]);
  return hash.length === 4 + 2 * ((size % 9) + 1) * (Math.floor(size / 9) + 1);
}

/** The picture of a hash as RGBA bytes, `width` x `height`. */
export function decode(hash, width, height) {
  const size = number(hash[0]);
  const [across, down] = [(size % 9) + 1, Math.floor(size / 9) + 1];
  const colours = components(hash);
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sum = [0, 0, 0];
      for (let j = 0; j < down; j++) {
        for (let i = 0; i < across; i++) {
          const basis = Math.cos((Math.PI * x * i) / width) * Math.cos((Math.PI * y * j) / height);
          colours[j * across + i].forEach((value, channel) => (sum[channel] += value * basis));
        }
      }
      pixels.set([...sum.map(toByte), 255], (y * width + x) * 4);
    }
  }
  return pixels;
}

/** Paint a hash on a canvas; false if it is none. */
export function paint(canvas, hash) {
  if (!isBlurhash(hash)) return false;
  [canvas.width, canvas.height] = [24, 24];
  canvas.getContext('2d').putImageData(new ImageData(decode(hash, 24, 24), 24, 24), 0, 0);
  return true;
}
