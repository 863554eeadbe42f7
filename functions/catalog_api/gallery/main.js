// The page: sign-in, the two views (photos and rejected files), and the events between grid, tray and large view.

import {
  ApiError, call, finishSignIn, forgetCredentials, isSignedIn, loadConfig, saveKey, signInWithCognito, signOut,
  takeKeyFromAddress,
} from './api.js';
import { $, announce, h, icon, ICONS } from './dom.js';
import { Grid } from './grid.js';
import { Listing } from './listing.js';
import { formatCount, language, setLanguage, setText, t, translate } from './texts.js';
import { Uploads } from './uploads.js';
import { confirmDeletion, Viewer } from './viewer.js';

// The large view loads the next page when this many photos are left.
const PRELOAD_COUNT = 10;
const STORED_THEME = 'eventloom.theme';
const SIGN_IN_HELP = { api_key: 'keyHelp', cognito: 'cognitoHelp', iam: 'iamHelp', none: 'noAccess' };
const REFUSAL = { api_key: 'keyInvalid', cognito: 'sessionExpired' };

let config;
let uploads;
let currentListing;
const listings = { READY: new Listing('READY'), REJECTED: new Listing('REJECTED') };
const grid = new Grid($('grid'), { open: (image) => viewer.open(image), remove, loadMore, refresh });
const viewer = new Viewer({
  neighbourOf: (image, step) => {
    const { images } = currentListing;
    return images.includes(image) ? images[images.indexOf(image) + step] : undefined;
  },
  remove,
  refresh,
  handleRefusal,
  onOpen: () => isViewerNearEnd() && retryLoading(),
  onClose: (image) => {
    const index = currentListing.images.indexOf(image);
    if (index >= 0) grid.focus(index);
  },
});

function isViewerNearEnd() {
  const { images } = currentListing;
  return viewer.isOpen && images.length - images.indexOf(viewer.image) <= PRELOAD_COUNT;
}

/** Loads the next page of the current view, unless it is loading, has failed, or there is none. */
async function loadMore() {
  const listing = currentListing;
  if (!listing || listing.loading || listing.failed || listing.ended) return;
  listing.loading = true;
  drawFooter();
  try {
    await listing.loadNextPage();
    // The other rows stay as they are, because the images are added at the end.
    if (listing === currentListing) grid.layOut(grid.rows.length - 1);
  } catch (error) {
    if (handleRefusal(error)) return;
    listing.failed = true;
  } finally {
    listing.loading = false;
  }
  if (listing !== currentListing) return;
  drawFooter();
  viewer.updateButtons();
  // A page may not fill the window. It may even be empty, because the API leaves out images that were just deleted.
  grid.scheduleDraw();
  if (isViewerNearEnd()) loadMore();
}

/** Adds an image that was uploaded in this tab to its view. */
function addImage(image) {
  const listing = listings[image.status];
  if (listing.has(image)) return;
  if (listing === currentListing) grid.layOutInPlace(() => listing.insert(image));
  else listing.insert(image);
  viewer.updateButtons();
  drawFooter();
}

/** Renews an image's presigned URLs. */
function refresh(image) {
  return listings[image.status].refresh(image).catch(handleRefusal);
}

/** Deletes an image after a confirmation. */
async function remove(image) {
  const showError = (name) => (viewer.isOpen ? viewer.showError(name) : setText($('problem'), name));
  if (!(await confirmDeletion(image))) return;
  showError();
  try {
    await call('DELETE', `images/${image.image_id}`);
  } catch (error) {
    if (!handleRefusal(error)) showError('deleteFailed');
    return;
  }
  const listing = listings[image.status];
  const index = listing.images.indexOf(image);
  if (index < 0) return;
  listing.images.splice(index, 1);
  if (listing === currentListing) {
    grid.layOut();
    if (viewer.isOpen) viewer.close();
    if (listing.images.length) grid.focus(Math.min(index, listing.images.length - 1));
    else $('photos').focus();
  }
  drawFooter();
  announce(t('deleted', { name: image.filename }));
}

/** Draws the line below the grid, and what stands in place of an empty grid. */
function drawFooter() {
  const listing = currentListing;
  const isEmpty = !listing.images.length && listing.ended;
  $('empty').hidden = !isEmpty;
  if (isEmpty) $('empty').replaceChildren(...emptyMessage(listing.status));
  $('more').replaceChildren(...footerOf(listing, isEmpty));
}

function emptyMessage(status) {
  if (status === 'REJECTED') return [h('p', { class: 'large' }, t('noRejected'))];
  const button = h('button', { type: 'button', class: 'primary', onclick: () => $('files').click() }, t('upload'));
  return [h('p', { class: 'large' }, t('noPhotos')), h('p', {}, t('noPhotosHelp')), button];
}

function footerOf(listing, isEmpty) {
  if (listing.failed) {
    const button = h('button', { type: 'button', onclick: () => retryLoading() }, t('retry'));
    return [t('loadingFailed'), ' ', button];
  }
  if (listing.loading) return [t('loading')];
  return listing.ended && !isEmpty ? [t('total', { count: formatCount(listing.images.length) })] : [];
}

function retryLoading() {
  currentListing.failed = false;
  loadMore();
}

function showView(status) {
  currentListing = listings[status];
  $('show-ready').setAttribute('aria-pressed', status === 'READY');
  $('show-rejected').setAttribute('aria-pressed', status === 'REJECTED');
  setText($('gallery-title'), status === 'READY' ? 'photos' : 'rejected');
  setText($('problem'));
  scrollTo(0, 0);
  grid.show(currentListing.images, status);
  drawFooter();
  loadMore();
}

/** Shows the sign-in if an error means that the caller must sign in again. Returns whether it does. */
function handleRefusal(error) {
  if (!(error instanceof ApiError) || ![401, 403].includes(error.status)) return false;
  forgetCredentials();
  showSignIn(REFUSAL[config.auth]);
  return true;
}

/** Shows the sign-in, with an error by the name of its text. */
function showSignIn(errorName) {
  if (viewer.isOpen) viewer.close();
  $('gallery').hidden = $('views').hidden = $('pick').hidden = $('sign-out').hidden = true;
  $('sign-in').hidden = false;
  $('key-form').hidden = config.auth !== 'api_key';
  $('cognito').hidden = config.auth !== 'cognito';
  setText($('sign-in-help'), SIGN_IN_HELP[config.auth]);
  setText($('sign-in-error'), errorName);
  if (config.auth === 'api_key') $('key').focus();
}

function showGallery() {
  if (viewer.isOpen) viewer.close();
  $('sign-in').hidden = true;
  $('gallery').hidden = $('views').hidden = $('pick').hidden = false;
  $('sign-out').hidden = config.auth === 'none';
  for (const status of Object.keys(listings)) listings[status] = new Listing(status);
  showView('READY');
  uploads.resume();
}

function setTheme(name) {
  document.documentElement.dataset.theme = name;
}

function toggleTheme() {
  const root = document.documentElement;
  const isSystemDark = !root.dataset.theme && matchMedia('(prefers-color-scheme: dark)').matches;
  const isDark = getComputedStyle(root).colorScheme === 'dark' || isSystemDark;
  const name = isDark ? 'light' : 'dark';
  localStorage.setItem(STORED_THEME, name);
  setTheme(name);
}

function translatePage() {
  translate();
  const otherLanguage = language === 'ko' ? 'en' : 'ko';
  $('language').lang = otherLanguage;
  $('language').textContent = otherLanguage === 'ko' ? '한국어' : 'English';
}

function toggleLanguage() {
  setLanguage(language === 'ko' ? 'en' : 'ko');
  translatePage();
  uploads?.redraw();
  if (currentListing && !$('gallery').hidden) {
    grid.layOut();
    drawFooter();
  }
}

function addListeners() {
  $('theme').append(icon(ICONS.theme));
  $('theme').addEventListener('click', toggleTheme);
  $('language').addEventListener('click', toggleLanguage);
  $('show-ready').addEventListener('click', () => showView('READY'));
  $('show-rejected').addEventListener('click', () => showView('REJECTED'));
  $('sign-out').addEventListener('click', signOut);
  $('cognito').addEventListener('click', signInWithCognito);
  $('key-form').addEventListener('submit', (event) => {
    event.preventDefault();
    saveKey($('key').value);
    $('key').value = '';
    showGallery();
  });
  $('pick').addEventListener('click', () => $('files').click());
  $('files').addEventListener('change', () => {
    uploads.add($('files').files);
    // Without this, the same file could not be selected again.
    $('files').value = '';
  });
  addEventListener('hashchange', () => takeKeyFromAddress() && showGallery());
  addEventListener('beforeunload', (event) => uploads?.isBusy && event.preventDefault());
}

function acceptDrops() {
  const hasFiles = (event) => event.dataTransfer?.types.includes('Files');
  addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    $('drop').hidden = $('gallery').hidden;
  });
  // relatedTarget is null when the pointer leaves the window.
  addEventListener('dragleave', (event) => !event.relatedTarget && ($('drop').hidden = true));
  addEventListener('drop', (event) => {
    $('drop').hidden = true;
    if (!hasFiles(event)) return;
    // By default the browser leaves the page and opens the file.
    event.preventDefault();
    if (!$('gallery').hidden) uploads.add(event.dataTransfer.files);
  });
}

async function start() {
  const theme = localStorage.getItem(STORED_THEME);
  if (theme) setTheme(theme);
  translatePage();
  addListeners();
  try {
    config = await loadConfig();
    uploads = new Uploads(config, { onResult: addImage, handleRefusal });
    $('files').accept = [...new Set(Object.entries(config.types).flat())].join(',');
    acceptDrops();
    await finishSignIn();
  } catch {
    if (config) return showSignIn('signInFailed');
    $('sign-in').hidden = false;
    return setText($('sign-in-error'), 'unreachable');
  }
  if (isSignedIn()) showGallery();
  else showSignIn();
}

start();
