// Calls the catalog's HTTP API. The API key, or the token of a Cognito user, is kept for this session. An API key stays
// on this device if its user chooses so.

import { pause } from './dom.js';

const KEY = 'eventloom.key';
const TOKEN = 'eventloom.token';
const VERIFIER = 'eventloom.verifier';
const MAX_ATTEMPTS = 4;
// A request without a response after this time is aborted.
const ANSWERED_AFTER_MS = 30_000;
const REACHED_AFTER_MS = 10_000;

/** Returns the address of the page, which is the API's root, without a query and a fragment. */
export const pageAddress = () => location.origin + location.pathname;

/** An error answer of the API: its HTTP status (0 without an answer) and its problem document (RFC 9457). */
export class ApiError extends Error {
  constructor(status, problem = {}) {
    super(problem.detail ?? problem.title ?? '');
    Object.assign(this, { status, problem });
  }
}

let config = null;

/** Returns the page's configuration, and loads it once. Throws ApiError. */
export async function loadConfig() {
  if (!config) {
    const response = await fetch(new URL('config.json', import.meta.url));
    if (!response.ok) throw new ApiError(response.status);
    config = await response.json();
    takeKeyFromAddress();
  }
  return config;
}

/**
 * Moves an API key from the address (`#key=...`) to the session. Returns whether there was a key to use.
 *
 * Browsers send no fragment to a server. The key is removed from the address and from the history.
 */
export function takeKeyFromAddress() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const key = fragment.get('key');
  if (!config || !key) return false;
  fragment.delete('key');
  history.replaceState(null, '', location.pathname + (fragment.size ? `#${fragment}` : ''));
  if (config.auth !== 'api_key') return false;
  saveKey(key);
  return true;
}

function credentialHeaders() {
  const key = sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY);
  const token = sessionStorage.getItem(TOKEN);
  if (config.auth === 'api_key' && key) return { 'X-Api-Key': key };
  if (config.auth === 'cognito' && token) return { Authorization: token };
  return {};
}

/** Returns whether the page has credentials, or needs none. */
export const isSignedIn = () => config.auth === 'none' || Object.keys(credentialHeaders()).length > 0;

/** Saves an API key for this session, or on this device until the user signs out. */
export const saveKey = (key, isRemembered = false) => {
  (isRemembered ? localStorage : sessionStorage).setItem(KEY, key.trim());
};

/** Returns where the credentials are: on the device if the user said so, otherwise in the session. */
export const credentialStorage = () => (localStorage.getItem(KEY) ? localStorage : sessionStorage);

/** Deletes the credentials of the session and of the device. */
export function forgetCredentials() {
  [KEY, TOKEN, VERIFIER].forEach((name) => sessionStorage.removeItem(name));
  localStorage.removeItem(KEY);
}

/** Signs out, also from Cognito, and reloads the page so that nothing stays on the screen. */
export function signOut() {
  forgetCredentials();
  if (config.auth !== 'cognito') return location.reload();
  const query = new URLSearchParams({ client_id: config.cognito.client_id, logout_uri: pageAddress() });
  return location.assign(`${config.cognito.domain}/logout?${query}`);
}

/** Returns the answer to a request, or null if there is none in time or if `signal` aborts it. */
async function answerTo(path, options, limit, signal) {
  const ending = new AbortController();
  const end = () => ending.abort();
  const timer = setTimeout(end, limit);
  signal?.addEventListener('abort', end);
  try {
    return await fetch(new URL(path, pageAddress()), { ...options, signal: ending.signal });
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
}

/** Returns whether the API responds at all. */
export const isReachable = async () => Boolean(await answerTo('health', { cache: 'no-store' }, REACHED_AFTER_MS));

/**
 * Calls an operation. Returns its JSON, or null for an answer without a body. Throws ApiError.
 *
 * Retries with back-off if the API is busy (429, 503) or does not answer, `attempts` times at most.
 */
export async function call(method, path, body, options) {
  const response = await request(method, path, body, options);
  return response.status === 204 ? null : response.json();
}

/** Returns `{body, etag}` of a GET, or null if the answer still has the etag. Throws ApiError. */
export async function callIfChanged(path, etag) {
  const response = await request('GET', path, undefined, { etag });
  return response.status === 304 ? null : { body: await response.json(), etag: response.headers.get('ETag') };
}

async function request(method, path, body, { signal, attempts = MAX_ATTEMPTS, etag } = {}) {
  const headers = headersFor(body);
  if (etag) headers.set('If-None-Match', etag);
  // The page keeps the data that it needs, and the browser's cache must not contain the data of a private gallery.
  const options = { method, headers, body: body && JSON.stringify(body), cache: 'no-store' };
  for (let attempt = 1; ; attempt++) {
    const response = await answerTo(path, options, ANSWERED_AFTER_MS, signal);
    if (response?.ok || response?.status === 304) return response;
    const isTransient = !response || response.status === 429 || response.status === 503;
    if (!isTransient || attempt >= attempts || signal?.aborted) {
      throw new ApiError(response?.status ?? 0, response ? await response.json().catch(() => ({})) : {});
    }
    await pause(Number(response?.headers.get('Retry-After') ?? 0) * 1000 || 400 * 2 ** attempt);
  }
}

function headersFor(body) {
  try {
    return new Headers({ ...credentialHeaders(), ...(body ? { 'Content-Type': 'application/json' } : {}) });
  } catch {
    // Headers throws a TypeError for characters that a header cannot hold. Such a key is invalid.
    throw new ApiError(401);
  }
}

// Encodes as base64url without padding (RFC 4648, section 5), which RFC 7636 requires for PKCE.
function base64url(bytes) {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Opens Cognito's sign-in page (OAuth 2.0 authorization code flow with PKCE, RFC 7636). */
export async function signInWithCognito() {
  const verifier = base64url(crypto.getRandomValues(new Uint8Array(48)));
  const state = base64url(crypto.getRandomValues(new Uint8Array(16)));
  sessionStorage.setItem(VERIFIER, JSON.stringify({ verifier, state, hash: location.hash }));
  const challenge = base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)));
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: config.cognito.client_id,
    redirect_uri: pageAddress(),
    scope: 'openid email',
    state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
  });
  location.assign(`${config.cognito.domain}/oauth2/authorize?${query}`);
}

/** Exchanges the code from Cognito's sign-in page for a token, if the address has one. Throws ApiError. */
export async function finishSignIn() {
  const query = new URLSearchParams(location.search);
  if (config.auth !== 'cognito' || !(query.has('code') || query.has('error'))) return;
  const request = JSON.parse(sessionStorage.getItem(VERIFIER) ?? '{}');
  sessionStorage.removeItem(VERIFIER);
  history.replaceState(null, '', location.pathname + (request.hash ?? ''));
  // A code with another state was not requested by this tab (cross-site request forgery, RFC 6749, section 10.12).
  if (query.has('error') || !request.state || query.get('state') !== request.state) {
    throw new ApiError(401);
  }
  const response = await fetch(`${config.cognito.domain}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: config.cognito.client_id,
      redirect_uri: pageAddress(),
      code: query.get('code'),
      code_verifier: request.verifier,
    }),
  });
  if (!response.ok) throw new ApiError(response.status);
  // API Gateway's Cognito authorizer accepts the id token for a method without authorization scopes.
  sessionStorage.setItem(TOKEN, (await response.json()).id_token);
}
