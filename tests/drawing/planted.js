// The faults that dashboards had before somebody looked at them. Each is planted into a dashboard of today, and checks.js
// must find it in the world `demo`.
const OVERVIEW = 'pg-integrity-overview.json', INTEGRITY = 'pg-integrity-integrity.json';

const flat = (board) => board.panels.flatMap((one) => [one, ...(one.panels ?? [])]);
const panel = (board, title) => flat(board).find((one) => one.title === title);
const properties = (board, title, name) =>
  panel(board, title).fieldConfig.overrides.find((one) => one.matcher.options === name).properties;

function set(board, title, name, id, value) {
  const all = properties(board, title, name);
  const found = all.find((one) => one.id === id);
  if (found) found.value = value;
  else all.push({ id, value });
}

function remove(board, title, name, id) {
  const all = properties(board, title, name);
  all.splice(all.findIndex((one) => one.id === id), 1);
}

export const PLANTED = [
  {
    fault: 'the words for an empty panel are in each empty cell', board: OVERVIEW,
    plant: (board) => remove(board, 'What is firing', 'database', 'noValue'), expected: 'the word for nothing is beside values',
  }, {
    fault: 'a version is shown as a number', board: 'pg-integrity-exporter.json', open: true,
    plant: (board) => { panel(board, 'Servers').fieldConfig.defaults.unit = 'short'; }, expected: 'a text is shown as a number',
  }, {
    fault: 'a cell without a value has the colour of a state', board: INTEGRITY,
    plant: (board) => {
      const mappings = properties(board, 'Rows of tables', 'state').find((one) => one.id === 'mappings').value;
      mappings.pop();
    },
    expected: 'a cell without a value is drawn green',
  }, {
    fault: 'values come after names and are off the screen', board: INTEGRITY,
    plant: (board) => {
      const order = panel(board, 'Foreign keys, the worst first').transformations[1].options.indexByName;
      Object.keys(order).filter((name) => name.startsWith('Value')).forEach((name) => { order[name] += 100; });
      set(board, 'Foreign keys, the worst first', 'constraint', 'custom.width', 900);
    },
    expected: 'a column is off the panel: "orphaned rows"',
  }, {
    fault: 'a name is cut off', board: OVERVIEW,
    plant: (board) => set(board, 'What is firing', 'alertname', 'custom.width', 90), expected: 'a cell is cut off: "PgIntegrity',
  }, {
    fault: 'violated is a line of any colour', board: OVERVIEW, open: true,
    plant: (board) => { panel(board, 'Objects by state').fieldConfig.overrides = []; }, expected: 'the line "violated" is drawn',
  }, {
    fault: 'violated is pale green', board: OVERVIEW,
    plant: (board) => {
      panel(board, 'Is the data intact?').fieldConfig.defaults.mappings[0].options[2].color = '#99DDBB';
    },
    expected: 'VIOLATED is drawn',
  }, {
    fault: 'a headline is a share of thousands of per cent', board: 'pg-integrity-recovery.json',
    plant: (board) => {
      const { defaults } = panel(board, 'Could we get it back?').fieldConfig;
      Object.assign(defaults, { unit: 'percentunit', mappings: [] });
      const [target] = panel(board, 'Could we get it back?').targets;
      target.expr = 'max(pg_integrity_backup_age_seconds / pg_integrity_backup_max_age_seconds)';
    },
    expected: 'a share that nobody can read',
  }, {
    fault: 'a number has no unit', board: OVERVIEW,
    plant: (board) => {
      panel(board, 'What is firing').transformations[1].options.renameByName['Value #B'] = 'n';
      panel(board, 'What is firing').fieldConfig.overrides.find((one) => one.matcher.options === 'alerts').matcher.options = 'n';
    },
    expected: 'a number without a unit',
  }, {
    fault: 'a panel is empty, and its row is open', board: 'pg-integrity-recovery.json',
    plant: (board) => {
      const row = panel(board, 'The write-ahead log on its way out');
      board.panels.splice(board.panels.indexOf(row) + 1, 0, ...row.panels.splice(0));
      row.collapsed = false;
    },
    expected: 'it is empty, and in no collapsed row',
  }, {
    fault: 'a big value is not there', board: OVERVIEW,
    plant: (board) => { panel(board, 'Is a proof overdue?').targets[0].expr = 'max(nothing)'; },
    expected: '"Is a proof overdue?": it is empty',
  }, {
    fault: 'the overview needs two screens', board: OVERVIEW,
    plant: (board) => { panel(board, 'What could not be proved, and why').gridPos.h = 20; }, expected: 'pixels',
  },
];
