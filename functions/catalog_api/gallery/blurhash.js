// Decodes a BlurHash (https://blurha.sh): a few cosine components of a picture, as about thirty characters.

// Pixels of a painted hash: it has nine waves across at most, and the browser smooths what is between.
const SIDE = 20;
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

// The cosines of a number of waves, for each place of a length.
const waves = (number, length) =>
  Array.from({ length }, (_, at) => Array.from({ length: number }, (_, wave) => Math.cos((Math.PI * at * wave) / length)));

/** The picture of a hash as RGBA bytes, `width` x `height`. Sums each line's waves first, because a screenful is decoded within one frame. */
export function decode(hash, width, height) {
  const size = number(hash[0]);
  const [across, down] = [(size % 9) + 1, Math.floor(size / 9) + 1];
  const colours = components(hash);
  const [columns, lines] = [waves(across, width), waves(down, height)];
  const pixels = new Uint8ClampedArray(width * height * 4).fill(255);
  const line = new Float64Array(across * 3);
  for (let y = 0; y < height; y++) {
    line.fill(0);
    colours.forEach((colour, at) => colour.forEach((value, channel) => {
      line[(at % across) * 3 + channel] += value * lines[y][Math.floor(at / across)];
    }));
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let i = 0; i < across; i++) sum += line[i * 3 + channel] * columns[x][i];
        pixels[(y * width + x) * 4 + channel] = toByte(sum);
      }
    }
  }
  return pixels;
}

/** Paint a hash on a canvas; false if it is none. */
export function paint(canvas, hash) {
  if (!isBlurhash(hash)) return false;
  [canvas.width, canvas.height] = [SIDE, SIDE];
  canvas.getContext('2d').putImageData(new ImageData(decode(hash, SIDE, SIDE), SIDE, SIDE), 0, 0);
  return true;
}
