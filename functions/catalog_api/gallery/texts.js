// What the page says, in English and Korean, and how it writes numbers and times.

import english from './texts.en.js';
import korean from './texts.ko.js';

const TEXTS = { en: english, ko: korean };
const CHOSEN = 'eventloom.language';

const first = navigator.languages.map((name) => name.slice(0, 2)).find((name) => name in TEXTS);
export let language = localStorage.getItem(CHOSEN) ?? first ?? 'en';
if (!(language in TEXTS)) language = 'en';

/** A text by its name; `{name}` in it is replaced by the value of that name. */
export function t(name, values = {}) {
  return TEXTS[language][name].replace(/\{(\w+)\}/g, (_, value) => values[value]);
}

/** Why an image was rejected, in plain words: the API's own where there are none for its code. */
export const reason = (image) => TEXTS[language].reasons[image.reason] ?? image.reason_text ?? t('unknownReason');

/** Speak another language from now on. */
export function speak(name) {
  language = name;
  localStorage.setItem(CHOSEN, name);
}

/** Put the texts into the elements that name one. */
export function translate(root = document) {
  document.documentElement.lang = language;
  root.querySelectorAll('[data-text]').forEach((element) => (element.textContent = t(element.dataset.text)));
  root.querySelectorAll('[data-label]').forEach((element) => element.setAttribute('aria-label', t(element.dataset.label)));
}

/** Put the text of a name into an element, where it follows the language; without a name, nothing. */
export function write(element, name) {
  if (name) element.dataset.text = name;
  else delete element.dataset.text;
  element.textContent = name ? t(name) : '';
}

const written = new Map();
function formatter(kind, options) {
  const name = `${language} ${JSON.stringify(options)}`;
  if (!written.has(name)) written.set(name, new Intl[kind](language, options));
  return written.get(name);
}

/** 1234567 -> "1,234,567". */
export const count = (value) => formatter('NumberFormat', {}).format(value);

/** Bytes as "2.4 MB". */
export function bytes(value) {
  const [size, unit] = value < 1e3 ? [value, 'byte'] : value < 1e6 ? [value / 1e3, 'kilobyte'] : [value / 1e6, 'megabyte'];
  return formatter('NumberFormat', { style: 'unit', unit, maximumFractionDigits: size < 10 && unit !== 'byte' ? 1 : 0 }).format(size);
}

/** The day of an ISO time, as a heading, where this browser is. */
export const day = (iso) => formatter('DateTimeFormat', { dateStyle: 'full' }).format(new Date(iso));

/** Day and time of an ISO time; one without a zone is a camera's own and stays as it is. */
export const moment = (iso) => formatter('DateTimeFormat', { dateStyle: 'long', timeStyle: 'short' }).format(new Date(iso));
