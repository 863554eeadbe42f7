// The gallery: signing in, the two views, and what happens between grid, tray and viewer.

import { call, configuration, finishSignIn, forget, Refused, signedIn, signInWithCognito, signOut, takeKey, useKey } from './api.js';
import { $, h, icon, ICONS, say } from './dom.js';
import { Grid } from './grid.js';
import { Listing } from './listing.js';
import { count, language, speak, t, translate, write } from './texts.js';
import { Uploads } from './uploads.js';
import { confirmDeletion, Viewer } from './viewer.js';

// As many photos are there already when the large view comes to them.
const AHEAD = 10;
const THEME = 'eventloom.theme';

let config;
let uploads;
let view;
const views = { READY: new Listing('READY'), REJECTED: new Listing('REJECTED') };
const grid = new Grid($('grid'), { open: (image) => viewer.open(image), remove, hungry: more, refresh });
const viewer = new Viewer({
  step: (image, by) => view.images.includes(image) && view.images[view.images.indexOf(image) + by],
  remove,
  refresh,
  refused: refusedEntry,
  opened: () => nearEnd() && retry(),
  closed: (image) => view.images.includes(image) && grid.focus(view.images.indexOf(image)),
});

/** Whether the large view comes to the end of what is listed. */
function nearEnd() {
  return viewer.isOpen && view.images.length - view.images.indexOf(viewer.image) <= AHEAD;
}

/** Load the next page of what is shown, unless it is coming, ended or failed. */
async function more() {
  const current = view;
  if (!current || current.loading || current.failed || current.ended) return;
  current.loading = true;
  footer();
  try {
    await current.next();
    // Only the last row changes when images are added behind it.
    if (current === view) grid.layOut(grid.rows.length - 1);
  } catch (error) {
    if (refusedEntry(error)) return;
    current.failed = true;
  } finally {
    current.loading = false;
  }
  if (current !== view) return;
  footer();
  viewer.turns();
  // One page may not fill the window, or hold nothing that is left.
  grid.draw();
  if (nearEnd()) more();
}

function prepend(image) {
  const current = views[image.status];
  if (current.has(image)) return;
  if (current === view) grid.change(() => current.insert(image));
  else current.insert(image);
  viewer.turns();
  footer();
}

/** Fresh addresses for an image that is shown, if there are any. */
function refresh(image) {
  return views[image.status].refresh(image).catch(refusedEntry);
}

async function remove(image) {
  const complain = (name) => (viewer.isOpen ? viewer.tell(name) : write($('problem'), name));
  if (!(await confirmDeletion(image))) return;
  complain();
  try {
    await call('DELETE', `images/${image.image_id}`);
  } catch (error) {
    if (!refusedEntry(error)) complain('deleteFailed');
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
  const empty = !view.images.length && view.ended;
  $('empty').hidden = !empty;
  if (empty) {
    const ready = view.status === 'READY';
    const pick = h('button', { type: 'button', class: 'primary', onclick: () => $('files').click() }, t('add'));
    $('empty').replaceChildren(h('p', { class: 'large' }, t(ready ? 'emptyTitle' : 'noneRejected')), ...(ready ? [h('p', {}, t('emptyHow')), pick] : []));
  }
  const again = h('button', { type: 'button', onclick: () => retry() }, t('again'));
  const lines = view.failed ? [t('failedMore'), ' ', again] : [view.loading ? t('loading') : view.ended && !empty ? t('end', { count: count(view.images.length) }) : ''];
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
  write($('gallery-title'), status === 'READY' ? 'photos' : 'rejected');
  write($('problem'));
  scrollTo(0, 0);
  grid.show(view.images, status);
  footer();
  more();
}

/** Whether an error means that the caller isn't known (any more); then the sign-in is shown. */
function refusedEntry(error) {
  if (!(error instanceof Refused) || ![401, 403].includes(error.status)) return false;
  forget();
  askWho({ api_key: 'keyRefused', cognito: 'expired' }[config.auth]);
  return true;
}

function askWho(problem) {
  if (viewer.isOpen) viewer.close();
  $('gallery').hidden = $('views').hidden = $('pick').hidden = $('sign-out').hidden = true;
  $('sign-in').hidden = false;
  $('key-form').hidden = config.auth !== 'api_key';
  $('cognito').hidden = config.auth !== 'cognito';
  write($('sign-in-how'), { api_key: 'keyHow', cognito: 'cognitoHow', iam: 'iamHow', none: 'noneHow' }[config.auth]);
  write($('sign-in-error'), problem);
  if (config.auth === 'api_key') $('key').focus();
}

function enter() {
  if (viewer.isOpen) viewer.close();
  $('sign-in').hidden = true;
  $('gallery').hidden = $('views').hidden = $('pick').hidden = false;
  $('sign-out').hidden = config.auth === 'none';
  for (const status of Object.keys(views)) views[status] = new Listing(status);
  show('READY');
  uploads.resume();
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
  addEventListener('hashchange', () => takeKey() && enter());
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
    uploads = new Uploads(config, { ready: prepend, rejected: prepend, refused: refusedEntry });
    $('files').accept = [...new Set([...Object.values(config.types), ...Object.keys(config.types)])].join(',');
    acceptDrops();
    await finishSignIn();
  } catch (error) {
    if (!config) {
      $('sign-in').hidden = false;
      write($('sign-in-error'), 'unreachable');
      return;
    }
    return askWho('refused');
  }
  if (signedIn()) enter();
  else askWho();
}

start();
