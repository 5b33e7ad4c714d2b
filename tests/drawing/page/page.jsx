// Draws a dashboard with Grafana's own panels. The parameters of the address:
//   board   the address of the dashboard's JSON       prometheus   where the data is
//   mode    light or dark                             seconds      how far back lines reach
//   open    1: collapsed rows are opened, and their panels are `folded`
// Each panel is an element of the class `panel`. Its attributes say what it was given, for checks.js.
// The title of the page becomes READY when everything is drawn.
import { createTheme, dateTime, getFieldDisplayValues, ThemeContext } from '@grafana/data';
import { BigValue, GlobalStyles, Table, TimeSeries } from '@grafana/ui';
import React from 'react';
import { createRoot } from 'react-dom/client';

import { Prometheus } from './frames.js';

const COLUMNS = 24, ROW = 38, GUTTER = 8, MARGIN = 16, HEADER = 32;
const asked = new URLSearchParams(location.search);
const theme = createTheme({ colors: { mode: asked.get('mode') } });
const prometheus = new Prometheus(asked.get('prometheus'), Number(asked.get('seconds')));
const board = await (await fetch(asked.get('board'))).json();
const column = (window.innerWidth - 2 * MARGIN + GUTTER) / COLUMNS;
let waiting = 0;

function Graph({ panel, frames, width, height }) {
  const range = { from: dateTime(prometheus.begin * 1000), to: dateTime(prometheus.end * 1000) };
  return <TimeSeries frames={frames} structureRev={1} width={width} height={height} timeZone="utc"
    timeRange={{ ...range, raw: range }} legend={panel.options.legend} options={{}} />;
}

function Stat({ panel, frames, width, height }) {
  const values = getFieldDisplayValues({
    fieldConfig: panel.fieldConfig, reduceOptions: panel.options.reduceOptions, replaceVariables: (text) => text, theme,
    data: frames, timeZone: 'utc' });
  return <div style={{ display: 'flex' }}>{values.map((one, index) =>
    <BigValue key={index} value={one.display} width={width / values.length} height={height} theme={theme}
      colorMode={panel.options.colorMode} graphMode="none" textMode={panel.options.textMode} justifyMode="center" />)}</div>;
}

/** Grafana's own timeline is part of its server, so this one is drawn here, with Grafana's words and colours. */
function Timeline({ frames, width, height }) {
  const names = Math.min(300, width / 3), span = prometheus.end - prometheus.begin;
  const line = Math.max(16, Math.min(32, (height - 4) / frames.length));
  return frames.map((frame, index) => {
    const [times, values] = frame.fields;
    const parts = [];
    values.values.forEach((value, at) => {
      const { text, color } = values.display(value), time = times.values[at] / 1000, last = parts.at(-1);
      if (last?.text === text) last.end = time + prometheus.step;
      else parts.push({ text, color, begin: time, end: time + prometheus.step });
    });
    return <div key={index} style={{ display: 'flex', height: line }}>
      <div className="name" style={{ width: names, textAlign: 'right', paddingRight: 8, overflow: 'hidden', whiteSpace: 'nowrap' }}>
        {values.config.displayNameFromDS}</div>
      <div style={{ position: 'relative', width: width - names }}>{parts.map((part, at) =>
        <div key={at} className="part" style={{
          position: 'absolute', left: (part.begin - prometheus.begin) / span * (width - names), height: line - 3,
          width: Math.max(2, (part.end - part.begin) / span * (width - names)), background: part.color, overflow: 'hidden',
          color: theme.colors.getContrastText(part.color), paddingLeft: 6 }}>{part.text}</div>)}</div>
    </div>;
  });
}

function Cells({ panel, frames, width, height }) {
  return <Table data={frames[0]} width={width} height={height} initialSortBy={panel.options.sortBy} cellHeight="sm"
    showTypeIcons={false} />;
}

const KINDS = { timeseries: Graph, stat: Stat, 'state-timeline': Timeline, table: Cells };

/** The texts of a table's label columns, which must be drawn as they are. */
function texts(panel, frames) {
  if (panel.type !== 'table') return [];
  return frames.flatMap((frame) => frame.fields.filter((field) => field.type === 'string')
    .map((field) => [field.name, [...new Set(field.values)]]));
}

function Panel({ panel }) {
  const [frames, setFrames] = React.useState(null);
  const [failure, setFailure] = React.useState('');
  React.useEffect(() => {
    waiting += 1;
    prometheus.frames(panel, theme).then(setFrames, (error) => setFailure(String(error))).finally(() => { waiting -= 1; });
  }, [panel]);
  const { x, y, w, h } = panel.gridPos;
  const width = w * column - GUTTER, height = h * ROW - GUTTER;
  const empty = frames && !frames.some((frame) => frame.length);
  const Kind = KINDS[panel.type];
  return <div className="panel" data-title={panel.title} data-kind={panel.type} data-empty={empty ? 1 : 0}
    data-folded={panel.folded ? 1 : 0}
    data-novalue={panel.fieldConfig.defaults.noValue} data-texts={JSON.stringify(frames ? texts(panel, frames) : [])}
    style={{
      position: 'absolute', left: MARGIN + x * column, top: MARGIN + y * ROW, width, height, overflow: 'hidden', fontSize: 12,
      background: theme.colors.background.primary, color: theme.colors.text.primary, borderRadius: 2,
      border: `1px solid ${theme.colors.border.weak}` }}>
    <div className="title" style={{ padding: '6px 8px', height: HEADER, fontSize: 14, fontWeight: 500, whiteSpace: 'nowrap', overflow: 'hidden' }}>
      {panel.title}</div>
    <div className="body" style={{ padding: '0 8px' }}>
      {failure && <pre className="failure" style={{ color: 'red', whiteSpace: 'pre-wrap' }}>{failure}</pre>}
      {empty && <div className="nothing" style={{ color: theme.colors.text.secondary, textAlign: 'center', padding: 8 }}>
        {panel.fieldConfig.defaults.noValue}</div>}
      {frames && !empty && <Kind panel={panel} frames={frames} width={width - 16} height={height - HEADER - GUTTER} />}
    </div>
  </div>;
}

/** Panels and titles of rows, moved up or down by what rows hide or show. */
function placed() {
  const all = [];
  let moved = 0;
  for (const one of board.panels) {
    all.push({ ...one, gridPos: { ...one.gridPos, y: one.gridPos.y + moved } });
    if (one.type !== 'row' || !one.collapsed || asked.get('open') !== '1') continue;
    const first = one.gridPos.y + 1;
    const bottom = Math.max(...one.panels.map((inner) => inner.gridPos.y + inner.gridPos.h));
    one.panels.forEach((inner) => all.push({ ...inner, folded: true, gridPos: { ...inner.gridPos, y: inner.gridPos.y + moved } }));
    moved += bottom - first;
  }
  return all;
}

const all = placed();
document.body.style.background = theme.colors.background.canvas;
document.body.style.height = `${MARGIN + Math.max(...all.map(({ gridPos }) => gridPos.y + gridPos.h)) * ROW + GUTTER}px`;
createRoot(document.getElementById('root')).render(
  <ThemeContext.Provider value={theme}>
    <GlobalStyles isExtensionSidebarOpen={false} />
    {all.map((one) => (one.type === 'row'
      ? <div key={`row ${one.title}`} className="fold" style={{
        position: 'absolute', left: MARGIN, top: MARGIN + one.gridPos.y * ROW + 6, fontSize: 16, fontWeight: 500,
        color: theme.colors.text.primary }}>{one.collapsed && asked.get('open') !== '1' ? '›' : '⌄'} {one.title}</div>
      : <Panel key={one.title} panel={one} />))}
  </ThemeContext.Provider>);
const drawn = setInterval(() => {
  if (waiting || !document.querySelector('.panel')) return;
  clearInterval(drawn);
  setTimeout(() => { document.title = 'READY'; }, 700);
}, 100);
