// Opens a page in Chromium and prints what it logs, up to `done`. Takes the page's URL, and a script to run in it as its console
// would, if there is one.
import { createRequire } from "node:module";

const { chromium } = createRequire(new URL("../node/", import.meta.url))("playwright-core");
const [url, script] = process.argv.slice(2);

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
try {
  const page = await browser.newPage();
  const done = new Promise((resolve, reject) => {
    let isDone = false;
    page.on("pageerror", reject);
    page.on("console", (message) => {
      // What the browser itself has to say is of another type.
      if (isDone || message.type() !== "log") return;
      console.log(message.text());
      isDone = message.text() === "done";
      if (isDone) resolve();
    });
  });
  await page.goto(url);
  if (script) await page.evaluate(`(async () => { ${script}\n})()`);
  else await done;
} finally {
  await browser.close();
}
