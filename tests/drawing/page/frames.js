// Asks Prometheus what a panel asks, and makes of the answers the frames that Grafana's data source makes.
import {
  applyFieldOverrides, FieldConfigOptionsRegistry, FieldType, getDisplayProcessor, standardFieldConfigEditorRegistry,
  standardTransformers, standardTransformersRegistry, toDataFrame, transformDataFrame,
} from '@grafana/data';
import { lastValueFrom } from 'rxjs';

const STANDARD = ['unit', 'min', 'max', 'decimals', 'displayName', 'noValue', 'thresholds', 'mappings', 'links', 'color'];
const CUSTOM = [
  'lineWidth', 'fillOpacity', 'drawStyle', 'showPoints', 'lineInterpolation', 'spanNulls', 'cellOptions', 'hidden',
  'width', 'minWidth', 'align', 'filterable', 'inspect', 'thresholdsStyle',
];

const option = (path, isCustom) => ({
  id: isCustom ? `custom.${path}` : path, path, name: path, description: '', isCustom, settings: {},
  editor: () => null, override: () => null, process: (value) => value, shouldApply: () => true,
});
standardFieldConfigEditorRegistry.setInit(() => STANDARD.map((path) => option(path, false)));
const registry = new FieldConfigOptionsRegistry(() => [
  ...STANDARD.map((path) => option(path, false)), ...CUSTOM.map((path) => option(path, true))]);
// Some of them have two names.
const transformers = [...new Map(Object.values(standardTransformers).map((one) => [one.id, one])).values()];
standardTransformersRegistry.setInit(() => transformers.map((one) => ({
  id: one.id, name: one.name, transformation: one, editor: () => null })));

/** An expression as Grafana sends it with everything chosen. */
const substituted = (expression) =>
  expression.replace(/\$\{?__rate_interval\}?/g, '15s').replace(/\$\{?\w+(:\w+)?\}?/g, '.*');

const legend = (format, labels) =>
  format === '__auto' ? Object.values(labels).join(' ') : format.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name) => labels[name] ?? '');

const valueOf = (text) => (text === 'NaN' ? NaN : Number(text));
const finite = (value) => (Number.isFinite(value) ? value : null);  // as Grafana's lines leave gaps

export class Prometheus {
  /** @param seconds how far back lines reach */
  constructor(address, seconds) {
    this.address = address;
    this.end = Math.floor(Date.now() / 1000);
    this.begin = this.end - seconds;
    this.step = Math.max(1, Math.floor(seconds / 200));
  }

  async ask(path, parameters) {
    const answer = await (await fetch(`${this.address}/api/v1/${path}?${new URLSearchParams(parameters)}`)).json();
    if (answer.status !== 'success') throw new Error(`${answer.error}: ${parameters.query}`);
    return answer.data.result;
  }

  async table(target, many) {
    const found = await this.ask('query', { query: substituted(target.expr), time: this.end });
    if (!found.length) return [];
    const labels = [...new Set(found.flatMap((one) => Object.keys(one.metric)))].sort();
    return [toDataFrame({ refId: target.refId, fields: [
      { name: 'Time', type: FieldType.time, values: found.map(() => this.end * 1000) },
      ...labels.map((name) => ({ name, type: FieldType.string, values: found.map((one) => one.metric[name] ?? '') })),
      { name: many ? `Value #${target.refId}` : 'Value', type: FieldType.number,
        values: found.map((one) => valueOf(one.value[1])) },
    ] })];
  }

  async lines(target) {
    const found = target.instant
      ? (await this.ask('query', { query: substituted(target.expr), time: this.end }))
        .map((one) => ({ metric: one.metric, values: [one.value] }))
      : await this.ask('query_range', {
        query: substituted(target.expr), start: this.begin, end: this.end, step: this.step });
    return found.map(({ metric, values }) => {
      const name = legend(target.legendFormat, metric);
      return toDataFrame({ refId: target.refId, name, fields: [
        { name: 'Time', type: FieldType.time, values: values.map((one) => one[0] * 1000) },
        { name: 'Value', type: FieldType.number, labels: metric, config: { displayNameFromDS: name },
          values: values.map((one) => finite(valueOf(one[1]))) },
      ] });
    });
  }

  /** The frames of a panel, transformed and with its field configuration, as Grafana hands them to the panel. */
  async frames(panel, theme) {
    const many = panel.targets.length > 1;
    let frames = (await Promise.all(panel.targets.map(
      (target) => (target.format === 'table' ? this.table(target, many) : this.lines(target))))).flat();
    if (panel.transformations?.length) frames = await lastValueFrom(transformDataFrame(panel.transformations, frames));
    const replaceVariables = (text) => text;
    frames = applyFieldOverrides({
      data: frames, fieldConfig: panel.fieldConfig, fieldConfigRegistry: registry, replaceVariables, theme, timeZone: 'utc' });
    for (const frame of frames) {
      for (const [index, field] of frame.fields.entries()) {
        field.display ??= getDisplayProcessor({ field, theme, timeZone: 'utc' });
        field.config.links = undefined;  // a cell with a link is drawn as a cell without one, but for its underline
        field.getLinks = undefined;
        if (panel.type === 'timeseries') field.state = { ...field.state, seriesIndex: frames.indexOf(frame) + index - 1 };
      }
    }
    return frames;
  }
}
