// The gallery: signing in, the two views, and what happens between grid, tray and viewer.

import { call, configuration, finishSignIn, forget, Refused, signedIn, signInWithCognito, signOut, useKey } from './api.js';
import { $, h, icon, ICONS, say } from './dom.js';
import { Grid } from './grid.js';
import { count, language, speak, t, translate } from './texts.js';
import { Uploads } from './uploads.js';
import { confirmDeletion, Viewer } from './viewer.js';

const PAGE = 100;
const THEME = 'eventloom.theme';

let config;
let uploads;
let view;
const views = { READY: newView('READY'), REJECTED: newView('REJECTED') };
const grid = new Grid($('grid'), { open: (image) => viewer.open(image), remove, hungry: more, refresh });
const viewer = new Viewer({
  step: (image, by) => view.images[view.images.indexOf(image) + by],
  remove,
  closed: (image) => view.images.includes(image) && grid.focus(view.images.indexOf(image)),
});

function newView(status) {
  return { status, images: [], ids: new Set(), cursor: '', loading: false, failed: false };
}

/** Load the next page of what is shown, unless it is coming, ended or failed. */
async function more() {
  const current = view;
  if (!current || current.loading || current.failed || current.cursor === null) return;
  const first = !current.images.length;
  current.loading = true;
  footer();
  try {
    const query = new URLSearchParams({ status: current.status, limit: first ? 50 : PAGE, ...(current.cursor ? { cursor: current.cursor } : {}) });
    const page = await call('GET', `images?${query}`);
    current.cursor = page.next_cursor;
    append(current, page.images);
  } catch (error) {
    if (refusedEntry(error)) return;
    current.failed = true;
  } finally {
    current.loading = false;
  }
  if (current !== view) return;
  footer();
  // One page may not fill the window, or hold nothing that is left.
  grid.draw();
}

function append(current, images) {
  const fresh = images.filter((image) => !current.ids.has(image.image_id));
  fresh.forEach((image) => current.ids.add(image.image_id));
  current.images.push(...fresh);
  // Only the last row changes when images are added behind it.
  if (current === view) grid.layOut(grid.rows.length - 1);
}

function prepend(image) {
  const current = views[image.status];
  if (current.ids.has(image.image_id)) return;
  current.ids.add(image.image_id);
  const at = current.images.findIndex((other) => other.uploaded_at <= image.uploaded_at);
  const insert = () => current.images.splice(at < 0 ? current.images.length : at, 0, image);
  if (current === view) grid.change(insert);
  else insert();
  footer();
}

/** Fresh addresses for an image that is shown. */
async function refresh(image) {
  const fresh = await call('GET', `images/${image.image_id}`).catch(() => null);
  if (fresh) image.thumbnails = fresh.thumbnails;
  return fresh;
}

async function remove(image) {
  if (!(await confirmDeletion(image))) return;
  try {
    await call('DELETE', `images/${image.image_id}`);
  } catch (error) {
    if (!refusedEntry(error)) say(t('deleteFailed'));
    return;
  }
  const current = views[image.status];
  const index = current.images.indexOf(image);
  if (index < 0) return;
  current.images.splice(index, 1);
  if (current === view) {
    grid.layOut();
    if (viewer.isOpen) viewer.close();
    if (current.images.length) grid.focus(Math.min(index, current.images.length - 1));
    else $('photos').focus();
  }
  footer();
  say(t('deleted', { name: image.filename }));
}

/** What stands below the grid, or instead of it. */
function footer() {
  const empty = !view.images.length && view.cursor === null;
  $('empty').hidden = !empty;
  if (empty) {
    const ready = view.status === 'READY';
    const pick = h('button', { type: 'button', class: 'primary', onclick: () => $('files').click() }, t('add'));
    $('empty').replaceChildren(h('p', { class: 'large' }, t(ready ? 'emptyTitle' : 'noneRejected')), ...(ready ? [h('p', {}, t('emptyHow')), pick] : []));
  }
  const again = h('button', { type: 'button', onclick: () => retry() }, t('again'));
  const lines = view.failed ? [t('failedMore'), ' ', again] : [view.loading ? t('loading') : view.cursor === null && !empty ? t('end', { count: count(view.images.length) }) : ''];
  $('more').replaceChildren(...lines);
}

function retry() {
  view.failed = false;
  more();
}

function show(status) {
  view = views[status];
  $('show-ready').setAttribute('aria-pressed', status === 'READY');
  $('show-rejected').setAttribute('aria-pressed', status === 'REJECTED');
  $('gallery-title').dataset.text = status === 'READY' ? 'photos' : 'rejected';
  $('gallery-title').textContent = t($('gallery-title').dataset.text);
  scrollTo(0, 0);
  grid.show(view.images, status);
  footer();
  more();
}

/** Whether an error means that the caller isn't known (any more); then the sign-in is shown. */
function refusedEntry(error) {
  if (!(error instanceof Refused) || ![401, 403].includes(error.status)) return false;
  forget();
  askWho({ api_key: 'keyRefused', cognito: 'expired' }[config.auth] ?? 'refused');
  return true;
}

function askWho(problem) {
  if (viewer.isOpen) viewer.close();
  $('gallery').hidden = $('views').hidden = $('pick').hidden = $('sign-out').hidden = true;
  $('sign-in').hidden = false;
  $('key-form').hidden = config.auth !== 'api_key';
  $('cognito').hidden = config.auth !== 'cognito';
  $('sign-in-how').dataset.text = { api_key: 'keyHow', cognito: 'cognitoHow', iam: 'iamHow' }[config.auth];
  $('sign-in-error').textContent = problem ? t(problem) : '';
  translate($('sign-in'));
  if (config.auth === 'api_key') $('key').focus();
}

function enter() {
  $('sign-in').hidden = true;
  $('gallery').hidden = $('views').hidden = $('pick').hidden = false;
  $('sign-out').hidden = config.auth === 'none';
  for (const status of Object.keys(views)) views[status] = newView(status);
  show('READY');
}

function setTheme(name) {
  document.documentElement.dataset.theme = name;
}

function listen() {
  $('theme').append(icon(ICONS.theme));
  $('theme').addEventListener('click', () => {
    const dark = getComputedStyle(document.documentElement).colorScheme === 'dark' || (!document.documentElement.dataset.theme && matchMedia('(prefers-color-scheme: dark)').matches);
    localStorage.setItem(THEME, dark ? 'light' : 'dark');
    setTheme(dark ? 'light' : 'dark');
  });
  $('language').addEventListener('click', () => {
    speak(language === 'ko' ? 'en' : 'ko');
    words();
    uploads?.redraw();
    if (view && !$('gallery').hidden) {
      grid.layOut();
      footer();
    }
  });
  $('show-ready').addEventListener('click', () => show('READY'));
  $('show-rejected').addEventListener('click', () => show('REJECTED'));
  $('sign-out').addEventListener('click', signOut);
  $('cognito').addEventListener('click', signInWithCognito);
  $('key-form').addEventListener('submit', (event) => {
    event.preventDefault();
    useKey($('key').value);
    $('key').value = '';
    enter();
  });
  $('pick').addEventListener('click', () => $('files').click());
  $('files').addEventListener('change', () => {
    uploads.add($('files').files);
    $('files').value = '';
  });
  addEventListener('beforeunload', (event) => uploads?.busy && event.preventDefault());
}

function acceptDrops() {
  const carriesFiles = (event) => event.dataTransfer?.types.includes('Files');
  addEventListener('dragover', (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    $('drop').hidden = $('gallery').hidden;
  });
  addEventListener('dragleave', (event) => !event.relatedTarget && ($('drop').hidden = true));
  addEventListener('drop', (event) => {
    $('drop').hidden = true;
    if (!carriesFiles(event)) return;
    // Or the browser would leave the page and show the file.
    event.preventDefault();
    if (!$('gallery').hidden) uploads.add(event.dataTransfer.files);
  });
}

function words() {
  translate();
  const other = language === 'ko' ? 'en' : 'ko';
  $('language').lang = other;
  $('language').textContent = other === 'ko' ? '한국어' : 'English';
}

async function start() {
  const chosen = localStorage.getItem(THEME);
  if (chosen) setTheme(chosen);
  words();
  listen();
  try {
    config = await configuration();
    uploads = new Uploads(config, { ready: prepend, rejected: prepend });
    $('files').accept = [...new Set([...Object.values(config.types), ...Object.keys(config.types)])].join(',');
    acceptDrops();
    await finishSignIn();
  } catch (error) {
    if (!config) {
      $('sign-in').hidden = false;
      $('sign-in-error').textContent = t('unreachable');
      return;
    }
    return askWho('refused');
  }
  if (signedIn()) enter();
  else askWho();
}

start();
