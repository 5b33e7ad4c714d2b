// Draws dashboards in headless Chromium and checks what is drawn. The last line is the result.
//
//   node draw.mjs WORLD FOLDER [--quick | --planted]
//
// In the environment are PROMETHEUS and REPORT (addresses, see worlds.py), DIST (the folder of the built page) and
// DASHBOARDS (the folder of the JSON). FOLDER gets a picture of each drawing, and one of the report page. --quick draws one width and one mode. --planted draws dashboards with
// the faults of planted.js, and fails if one of them is not found.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';

import puppeteer from 'puppeteer-core';

import { faults } from './checks.js';
import { PLANTED } from './planted.js';

const [world, folder, how] = process.argv.slice(2);
const { PROMETHEUS, REPORT, DIST, DASHBOARDS } = process.env;
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json' };
const WIDTHS = how === '--quick' ? [1280] : [1280, 1920];
const MODES = how === '--quick' ? ['light'] : ['light', 'dark'];
const HEIGHTS = { 1280: 800, 1920: 1080 };
const SECONDS = 300, PATIENCE = 120_000;

const changed = {};  // the text of a dashboard with a planted fault, by its name
const server = http.createServer((request, answer) => {
  const name = path.normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
  const board = name.startsWith('/boards/') && name.slice(8);
  const send = (error, data) => {
    answer.writeHead(error ? 404 : 200, { 'Content-Type': TYPES[path.extname(name)] ?? 'application/octet-stream' });
    answer.end(error ? '' : data);
  };
  if (changed[board]) send(null, changed[board]);
  else fs.readFile(board ? path.join(DASHBOARDS, board) : path.join(DIST, name), send);
}).listen(0, '127.0.0.1');
await new Promise((done) => { server.on('listening', done); });
const address = `http://127.0.0.1:${server.address().port}`;
const browser = await puppeteer.launch({
  executablePath: '/usr/bin/chromium', protocolTimeout: PATIENCE,
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars', '--no-proxy-server'] });
const boards = fs.readdirSync(DASHBOARDS).filter((name) => name.endsWith('.json')).sort();
const jsonOf = (board) => JSON.parse(fs.readFileSync(path.join(DASHBOARDS, board), 'utf8'));
let drawings = 0;

/** @param open whether collapsed rows are opened  @return what is wrong */
async function draw(board, width, mode, open, name) {
  const page = await browser.newPage();
  await page.setViewport({ width, height: HEIGHTS[width] });
  const failed = [];
  page.on('pageerror', (error) => failed.push(String(error)));
  const parameters = { board: `/boards/${board}`, prometheus: PROMETHEUS, mode, seconds: SECONDS, open: open ? 1 : 0 };
  await page.goto(`${address}/index.html?${new URLSearchParams(parameters)}`, { timeout: PATIENCE });
  await page.waitForFunction(() => document.title === 'READY', { timeout: PATIENCE })
    .catch(() => failed.push('it is not drawn'));
  await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
  const oneScreen = board.includes('overview');
  const found = [...failed, ...await page.evaluate(faults, { oneScreen, height: HEIGHTS[width] })];
  drawings += 1;
  await page.close();
  return found;
}

async function drawReport() {
  const page = await browser.newPage();
  await page.setViewport({ width: 1000, height: 690 });
  await page.goto(REPORT, { timeout: PATIENCE });
  await page.screenshot({ path: path.join(folder, 'report.png') });
  await page.close();
}

async function drawAll() {
  let count = 0;
  await drawReport();
  for (const board of boards) {
    for (const mode of MODES) {
      for (const width of WIDTHS) {
        // The narrow ones are drawn as they are first seen, too: for people, and for dashboards/pictures.
        for (const open of width === WIDTHS[0] ? [false, true] : [true]) {
          const name = [path.basename(board, '.json'), world, width, mode, ...(open ? ['open'] : [])].join('-');
          const found = await draw(board, width, mode, open, name);
          found.forEach((fault) => console.log(`${name}: ${fault}`));
          count += found.length;
        }
      }
    }
  }
  console.log(`world ${world}: ${drawings} drawings of ${boards.length} dashboards, ${count} faults`);
  return count;
}

async function drawPlanted() {
  let missed = 0;
  for (const { fault, board, open, plant, expected } of PLANTED) {
    const json = jsonOf(board);
    plant(json);
    changed[board] = JSON.stringify(json);
    const found = await draw(board, 1280, 'light', open ?? false, `planted-${fault.replace(/\W+/g, '-')}`);
    delete changed[board];
    if (found.some((one) => one.includes(expected))) continue;
    console.log(`not found: ${fault}, but ${found.length ? found.slice(0, 3).join('; ') : 'nothing'}`);
    missed += 1;
  }
  console.log(`${PLANTED.length - missed} of ${PLANTED.length} planted faults are found`);
  return missed;
}

const bad = await (how === '--planted' ? drawPlanted() : drawAll());
await browser.close();
server.close();
process.exit(bad ? 1 : 0);
