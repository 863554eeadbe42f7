// Decodes a BlurHash (https://blurha.sh): a few cosine components of a picture, encoded as about thirty characters.

// A hash has at most nine waves in each direction, and the browser smooths the canvas when it scales it up.
const SIDE_PX = 20;
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~';

const decodeNumber = (text) => [...text].reduce((sum, digit) => sum * 83 + DIGITS.indexOf(digit), 0);

// sRGB transfer functions (IEC 61966-2-1): from a byte to linear light, and back.
const toLinear = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
const toByte = (value) => {
  const bounded = Math.min(1, Math.max(0, value));
  return Math.round(255 * (bounded <= 0.0031308 ? bounded * 12.92 : 1.055 * bounded ** (1 / 2.4) - 0.055));
};
const signedSquare = (value) => Math.sign(value) * value * value;

function decodeColours(hash) {
  const maximum = (decodeNumber(hash[1]) + 1) / 166;
  const colours = [];
  for (let position = 6; position < hash.length; position += 2) {
    const value = decodeNumber(hash.slice(position, position + 2));
    const channels = [Math.floor(value / 361), Math.floor(value / 19) % 19, value % 19];
    colours.push(channels.map((channel) => signedSquare((channel - 9) / 9) * maximum));
  }
  const average = decodeNumber(hash.slice(2, 6));
  return [[average >> 16, (average >> 8) & 255, average & 255].map(toLinear), ...colours];
}

function decodeSize(hash) {
  const size = decodeNumber(hash[0]);
  return [(size % 9) + 1, Math.floor(size / 9) + 1];
}

/** Returns whether a value is a BlurHash of the length that its first character gives. */
export function isBlurhash(hash) {
  if (typeof hash !== 'string' || hash.length < 6) return false;
  const [columns, rows] = decodeSize(hash);
  return hash.length === 4 + 2 * columns * rows;
}

// Returns the cosines of `number` waves for each position of a length.
function cosines(number, length) {
  const positions = Array.from({ length }, (_, position) => position);
  return positions.map((position) =>
    Array.from({ length: number }, (_, wave) => Math.cos((Math.PI * position * wave) / length)));
}

/**
 * Returns the picture of a hash as RGBA bytes.
 *
 * Sums the vertical waves once per line, because a screenful of hashes must decode within one frame.
 */
export function decode(hash, width, height) {
  const [columns, rows] = decodeSize(hash);
  const colours = decodeColours(hash);
  const [horizontal, vertical] = [cosines(columns, width), cosines(rows, height)];
  const pixels = new Uint8ClampedArray(width * height * 4).fill(255);
  const line = new Float64Array(columns * 3);
  for (let y = 0; y < height; y++) {
    line.fill(0);
    colours.forEach((colour, index) => colour.forEach((value, channel) => {
      line[(index % columns) * 3 + channel] += value * vertical[y][Math.floor(index / columns)];
    }));
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let wave = 0; wave < columns; wave++) sum += line[wave * 3 + channel] * horizontal[x][wave];
        pixels[(y * width + x) * 4 + channel] = toByte(sum);
      }
    }
  }
  return pixels;
}

/** Paints a hash on a canvas. Returns false if the value is not a BlurHash. */
export function paint(canvas, hash) {
  if (!isBlurhash(hash)) return false;
  [canvas.width, canvas.height] = [SIDE_PX, SIDE_PX];
  const pixels = new ImageData(decode(hash, SIDE_PX, SIDE_PX), SIDE_PX, SIDE_PX);
  canvas.getContext('2d').putImageData(pixels, 0, 0);
  return true;
}
