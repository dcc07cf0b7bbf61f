// Runs before everything else. A fault of the page would leave a blank window without a word;
// here it is kept for the log and, if nothing was drawn, said on the page.
(function () {
  'use strict';
  var faults = (window.floorwalkerFaults = []);

  function note(message) {
    if (faults.length >= 20) return;
    faults.push(String(message).slice(0, 2000));
    try {
      var shell = window.__TAURI_INTERNALS__;
      if (shell) {
        shell
          .invoke('ask', { ask: { ask: 'log', level: 'error', message: String(message).slice(0, 2000) } })
          .catch(function () {});
      }
    } catch (ignored) {
      // The log is a courtesy; the page goes on without it.
    }
    setTimeout(sayIfBlank, 1500);
  }

  function sayIfBlank() {
    if (document.documentElement.dataset.ready || document.getElementById('fault')) return;
    var place = document.getElementById('app');
    if (!place || place.childElementCount > 0) return;
    var p = document.createElement('p');
    p.id = 'fault';
    p.style.cssText = 'font:15px/1.5 system-ui,sans-serif;padding:32px;max-width:60ch';
    p.textContent =
      'The screen could not be drawn: ' + faults[0] + ' Close the window and open it again; the log has more.';
    place.appendChild(p);
  }

  window.onerror = function (message, source, line, column, error) {
    note((error && error.stack) || message + ' at ' + source + ':' + line + ':' + column);
  };
  window.addEventListener('unhandledrejection', function (event) {
    var reason = event.reason;
    note((reason && (reason.stack || reason.sentence || reason.message)) || reason);
  });

  // The colours of the system until the user's own choice is known, so that a dark desk sees no white flash.
  var dark = window.matchMedia && window.matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
