// Answer the requests of measure.py with sharp. Each request and each answer is a JSON line, as in worker.py.
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import sharp from "sharp";

sharp.concurrency(1);
sharp.cache(false);
const SIZES = [1280, 512, 128];
const shrink = (image, size) => image.resize({ width: size, height: size, fit: "inside", withoutEnlargement: true });

async function perSize(data, options = {}) {
  const thumbnails = [];
  for (const size of SIZES) {
    thumbnails.push(await shrink(sharp(data), size).jpeg({ quality: 80, ...options }).toBuffer());
  }
  return thumbnails;
}

async function cascade(data) {
  const thumbnails = [];
  let next = sharp(data);
  for (const size of SIZES) {
    const { data: raw, info } = await shrink(next, size).raw().toBuffer({ resolveWithObject: true });
    const picture = () => sharp(raw, { raw: { width: info.width, height: info.height, channels: info.channels } });
    thumbnails.push(await picture().jpeg({ quality: 80 }).toBuffer());
    next = picture();
  }
  return thumbnails;
}

const plainHuffman = (data) => perSize(data, { optimiseCoding: false });
const ENGINES = { sharp: (data) => perSize(data), "sharp-cascade": cascade, "sharp-plain-huffman": plainHuffman };

function kilobytes(field) {
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync("/proc/self/status", "latin1"))[1]);
}

for await (const line of createInterface({ input: process.stdin })) {
  const { engine, file, picture } = JSON.parse(line);
  const data = readFileSync(file);
  if (picture) {
    writeFileSync(picture, await shrink(sharp(data), SIZES[0]).png().toBuffer());
    console.log("{}");
    continue;
  }
  writeFileSync("/proc/self/clear_refs", "5");
  const idle = kilobytes("VmRSS");
  const before = process.cpuUsage();
  const thumbnails = await ENGINES[engine](data);
  const used = process.cpuUsage(before);
  const peak = (kilobytes("VmHWM") - idle) / 1024;
  const bytes = thumbnails.map((thumbnail) => thumbnail.length);
  console.log(JSON.stringify({ cpu_ms: (used.user + used.system) / 1000, peak_mb: peak, bytes }));
}
