// The page: the theme, the keyboard in the matrix, what is said on hover, and the dialog.
const dialog = document.getElementById("detail");
const tip = document.getElementById("tip");
const themeButton = document.getElementById("theme");

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function nameThemeButton() {
  themeButton.textContent = isDark() ? "Light theme" : "Dark theme";
}

themeButton.hidden = false;
themeButton.addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  nameThemeButton();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", nameThemeButton);
nameThemeButton();

function open(key) {
  const cell = CELL.get(key);
  if (!cell) return;
  dialog.firstElementChild.replaceChildren(...detailOf(cell, open, () => dialog.close()));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  document.getElementById("close").focus();
  history.replaceState(null, "", `#${encodeURI(key)}`);
}

dialog.addEventListener("close", () => history.replaceState(null, "", location.pathname + location.search));
// A click on what is around it.
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
for (const button of document.querySelectorAll("[data-key]")) {
  button.addEventListener("click", () => open(button.dataset.key));
}
// A link to a cell opens it.
open(decodeURI(location.hash.slice(1)));

// What the numbers in the cells are.
const matrix = document.getElementById("matrix");
const views = matrix.querySelectorAll(".views button");
views[0].parentElement.hidden = false;
for (const button of views) {
  button.addEventListener("click", () => {
    matrix.dataset.view = button.dataset.view;
    for (const each of views) each.setAttribute("aria-pressed", each === button);
  });
}

// One stop for the tab key; arrows go from cell to cell.
const rows = [...document.querySelectorAll(".matrix tbody tr")].map((row) => [...row.querySelectorAll("button.cell")]);
const cells = rows.flat();

function stopAt(cell) {
  for (const each of cells) each.tabIndex = each === cell ? 0 : -1;
}

function moved(row, column, event) {
  const last = rows[row].length - 1;
  const to = {
    ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
    Home: [event.ctrlKey ? 0 : row, 0], End: [event.ctrlKey ? rows.length - 1 : row, last],
  }[event.key];
  return to && rows[to[0]]?.[to[1]];
}

rows.forEach((row, rowIndex) =>
  row.forEach((cell, column) => {
    cell.addEventListener("focus", () => stopAt(cell));
    cell.addEventListener("keydown", (event) => {
      const next = moved(rowIndex, column, event);
      if (!next) return;
      event.preventDefault();
      next.focus();
    });
  }),
);
if (cells.length) stopAt(cells[0]);

let pointedAt;

function showTip(cell) {
  pointedAt = cell;
  tip.textContent = CELL.get(cell.dataset.key).sentence;
  tip.hidden = false;
  placeTip();
}

function placeTip() {
  const box = pointedAt.getBoundingClientRect();
  const left = Math.min(box.left, innerWidth - tip.offsetWidth - 8);
  const below = box.bottom + 8 + tip.offsetHeight < innerHeight;
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${below ? box.bottom + 8 : box.top - tip.offsetHeight - 8}px`;
}

for (const cell of cells) {
  for (const event of ["pointerenter", "focus"]) cell.addEventListener(event, () => showTip(cell));
  for (const event of ["pointerleave", "blur", "click"]) cell.addEventListener(event, () => (tip.hidden = true));
}
// The browser scrolls to a cell that gets the keyboard, and tells of it after the tip is there.
addEventListener("scroll", () => tip.hidden || placeTip(), { passive: true });
addEventListener("keydown", (event) => event.key === "Escape" && (tip.hidden = true));
