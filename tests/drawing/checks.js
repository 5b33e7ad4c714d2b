/**
 * Reads the page as it is drawn and says what is wrong with it, a sentence each. It runs in the browser, so it uses
 * nothing from outside.
 *
 * @param oneScreen whether everything must be seen without scrolling, in a window of `height` pixels
 */
export function faults({ oneScreen, height }) {
  const RED = 'red', AMBER = 'amber', GREEN = 'green';
  const COLOURS = {
    '#CC3311': RED, '#FFB300': AMBER, '#009E73': GREEN, '#0072B2': 'blue', '#56B4E9': 'light blue', '#999999': 'grey',
    '#CC79A7': 'purple' };
  const STATES = {
    violated: RED, unproven: AMBER, proven: GREEN, accepted: 'blue', limited: 'light blue', observed: 'grey' };
  const WORDS = {
    VIOLATED: RED, CRITICAL: RED, OVERDUE: RED, REFUSED: RED, NO: RED, SILENT: RED,
    FAILS: RED, LOST: RED, CORRUPT: RED, MISMATCH: RED, UNSAFE: RED, UNPROVEN: AMBER, WARNING: AMBER, PROVEN: GREEN,
    YES: GREEN, 'IN TIME': GREEN, 'IN FORCE': GREEN, INFO: 'light blue' };
  // A plain number is of what its title counts.
  const COUNTED = new RegExp(
    '\\b(rows|keys|tables|objects|files|values|sessions|logs|triggers|copies|endpoints|entries|deletes|failures|found|'
    + 'roles|backups|runs|indexes|pages|segments|series|collectors|privileges|databases|connections|instances|losses|'
    + 'protections|alerts|places|requests|attempts|rights)\\b', 'i');
  const GRAFANA = 130;  // pixels of Grafana's own bars, and of the variables
  const found = [];
  const textOf = (element) => element.innerText.trim().replace(/\s+/g, ' ');
  const channels = (text) => (text.match(/[\d.]+/g) ?? []).map(Number);

  /** Hue in degrees and saturation of a colour. */
  function hueOf([red, green, blue]) {
    const most = Math.max(red, green, blue), least = Math.min(red, green, blue), range = most - least || 1;
    const sector = most === red ? (green - blue) / range : most === green ? 2 + (blue - red) / range : 4 + (red - green) / range;
    return [(60 * sector + 360) % 360, (most - least) / (most || 1)];
  }

  /** The name of the nearest of our colours, empty if nothing is drawn. Grafana draws a big value on a gradient around
   *  its colour, whose hue is between those of the ends. */
  function nameOf(text) {
    const colours = (text.match(/rgba?\([^)]*\)/g) ?? []).map(channels);
    if (!colours.length || (colours[0][3] ?? 1) < 0.3) return '';
    const mean = [0, 1, 2].map((at) => colours.reduce((sum, one) => sum + one[at], 0) / colours.length);
    const [hue, saturation] = hueOf(mean);
    if (saturation < 0.15) return 'grey';
    const [distance, name] = Object.entries(COLOURS).map(([code, one]) => {
      const away = Math.abs(hueOf([1, 3, 5].map((at) => parseInt(code.slice(at, at + 2), 16)))[0] - hue);
      return [one === 'grey' ? 360 : Math.min(away, 360 - away), one];
    }).sort((one, other) => one[0] - other[0])[0];
    // Pale, or of another hue: it is none of ours.
    return distance < 8 && saturation > 0.5 ? name : text.match(/rgba?\([^)]*\)/)[0];
  }

  function colourBehind(element, end) {
    for (let at = element; at && at !== end; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.backgroundImage.includes('gradient')) return nameOf(style.backgroundImage);
      if ((channels(style.backgroundColor)[3] ?? 1) > 0.3) return nameOf(style.backgroundColor);
    }
    return '';
  }

  const innermost = (element) => {
    let at = element;
    while (at.children.length === 1 && textOf(at.children[0]) === textOf(element)) [at] = at.children;
    return at;
  };
  const cut = (element) => [element, ...element.querySelectorAll('*')].some(
    (one) => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0
      && ['hidden', 'clip'].includes(getComputedStyle(one).overflowX));
  // The title of a column has a handle beside it, which lies over the next one. Its text alone counts.
  function titleCut(header) {
    const range = document.createRange(), walker = document.createTreeWalker(header, NodeFilter.SHOW_TEXT);
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
      range.selectNodeContents(text);
      if (range.getBoundingClientRect().right > header.getBoundingClientRect().right + 1) return true;
    }
    return false;
  }
  const plain = (text) => /^[-+]?[\d.,]+( (K|Mil|Bil))?$/.test(text);

  /** @param title of the column or of the big value  @param panel its panel's */
  function checkValue(say, text, colour, title, panel) {
    const counts = COUNTED.test(title) || (STATES[title] && COUNTED.test(panel));
    if (WORDS[text] && colour !== WORDS[text]) say(`${text} is drawn ${colour || 'without a colour'}`);
    if (plain(text) && !counts) say(`a number without a unit: ${text}, of "${title}"`);
    if (/\d{4,}(\.\d+)? ?%/.test(text)) say(`a share that nobody can read: ${text}`);
    if (/\de[-+]?\d/.test(text)) say(`a number that nobody can read: ${text}`);
    const number = Number(text.replace(/,/g, '')), state = STATES[title.split(' ')[0]];
    if (plain(text) && number === 0 && [RED, AMBER].includes(colour)) say(`a 0 of "${title}" is drawn ${colour}`);
    if (plain(text) && number > 0 && state && colour && colour !== state) say(`${text} of "${title}" is drawn ${colour}`);
    if (['', '–'].includes(text) && [RED, AMBER, GREEN].includes(colour)) say(`a cell without a value is drawn ${colour}`);
  }

  function checkTable(panel, say, right) {
    const headers = [...panel.querySelectorAll('[role=columnheader]')];
    const names = headers.map(textOf);
    const texts = Object.fromEntries(JSON.parse(panel.dataset.texts));
    for (const header of headers) if (titleCut(header)) say(`the title of a column is cut off: ${textOf(header)}`);
    for (const row of panel.querySelectorAll('[role=row]')) {
      [...row.querySelectorAll('[role=cell]')].forEach((cell, at) => {
        const text = textOf(cell), name = names[at] ?? '';
        if (cut(cell)) say(`a cell is cut off: "${text}" of "${name}"`);
        if (cell.getBoundingClientRect().right > right + 1) say(`a column is off the panel: "${name}"`);
        if (panel.dataset.novalue && text === panel.dataset.novalue) say(`the word for nothing is beside values: "${text}"`);
        if (name in texts) {
          if (text && !texts[name].includes(text)) say(`a text is shown as a number: ${text} of "${name}"`);
          if (text && !WORDS[text]) return;
        }
        checkValue(say, text, colourBehind(innermost(cell), panel), name, panel.dataset.title);
      });
    }
  }

  function checkLegend(panel, say, title) {
    for (const row of panel.querySelectorAll('tr')) {
      const [label, value] = [...row.querySelectorAll('td')].map(textOf);
      if (label === undefined) continue;
      const icon = row.querySelector('[data-testid="series-icon"]');
      const colour = icon ? nameOf(getComputedStyle(icon).backgroundColor) : '';
      if (STATES[label] && colour !== STATES[label]) say(`the line "${label}" is drawn ${colour}`);
      if (value !== undefined && plain(value) && !COUNTED.test(title)) say(`a number without a unit: ${value} of "${label}"`);
    }
  }

  for (const panel of document.querySelectorAll('.panel')) {
    const { title, kind } = panel.dataset, folded = panel.dataset.folded === '1', right = panel.getBoundingClientRect().right;
    const mine = new Set(), body = panel.querySelector('.body');
    const say = (text) => mine.add(`"${title}": ${text}`);
    const failure = panel.querySelector('.failure');
    if (failure) say(textOf(failure));
    if (panel.dataset.empty === '1') {
      if (!folded) say('it is empty, and in no collapsed row');
    } else if (!textOf(body) && kind !== 'timeseries') {
      say('nothing is drawn');
    }
    if (cut(panel.querySelector('.title'))) say('its title is cut off');
    if (panel.dataset.empty !== '1') {
      if (kind === 'table') checkTable(panel, say, right);
      if (kind === 'timeseries') checkLegend(panel, say, title);
      if (kind === 'stat') {
        const text = textOf(body);
        if (panel.dataset.novalue && text.includes(panel.dataset.novalue)) {
          if (!folded) say('it is empty, and in no collapsed row');
        } else {
          checkValue(say, text, colourBehind(innermost(body), panel), title, title);
        }
      }
      if (kind === 'state-timeline') {
        for (const part of panel.querySelectorAll('.part')) {
          const word = WORDS[textOf(part)], colour = colourBehind(part, panel);
          if (word && word !== colour) say(`${textOf(part)} is drawn ${colour}`);
        }
        for (const name of panel.querySelectorAll('.name')) if (cut(name)) say(`a name is cut off: ${textOf(name)}`);
      }
    }
    found.push(...mine);
  }
  if (oneScreen) {
    const bottom = Math.max(...[...document.querySelectorAll('.panel[data-folded="0"]')].map((one) => one.getBoundingClientRect().bottom));
    if (bottom > height - GRAFANA) found.push(`it needs ${Math.round(bottom)} of ${height - GRAFANA} pixels`);
  }
  return found;
}
