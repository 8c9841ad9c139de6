// Before the first paint: the theme that was chosen here earlier, so that nothing flashes.
try {
  var theme = localStorage.getItem('weir.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch (e) {
  // Storage is blocked: the system's theme it is.
}
