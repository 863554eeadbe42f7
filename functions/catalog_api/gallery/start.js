// Loads the modules one after another, each after the modules that it imports. Parallel requests would each start an
// execution environment of the Lambda function. Browsers cache the modules, so this happens once per version.
const MODULES = [
  'dom', 'blurhash', 'layout', 'texts.en', 'texts.ko', 'texts', 'api', 'address', 'links', 'listing', 'picture',
  'cells', 'grid', 'files', 'footer', 'fingerprint', 'connection', 'transfer', 'results', 'tray', 'uploads', 'zip',
  'deletion', 'dialogs', 'find', 'live', 'notice', 'selection', 'selectionbar', 'original', 'zoom', 'viewer',
  'gallery', 'main',
];

try {
  for (const name of MODULES) await import(`./${name}.js`);
} catch (error) {
  // The modules with the texts may be missing too, so index.html holds this message in both languages.
  const message = document.getElementById('broken');
  message.hidden = false;
  message.querySelectorAll('button').forEach((button) => button.addEventListener('click', () => location.reload()));
  throw error;
}
