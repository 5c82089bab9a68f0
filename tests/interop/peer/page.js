// Starts the peer of this page and notes what the page is blamed for. A file of its own, because relays forbid scripts inside pages.
import "./floor.js";
import init, { Page } from "./haggle_interop.js";
const blamed = [];
for (const kind of ["error", "unhandledrejection"]) {
    addEventListener(kind, (event) => blamed.push(String(event.message ?? event.reason)));
}
const report = console.error;
console.error = (...told) => { blamed.push(told.map(String).join(" ")); report(...told); };
await init();
const page = new Page();
page.log = async () => blamed;
window.peer = page;
