import { Command } from 'commander';
import { aligned } from '../report/aligned.js';
import { addTable } from '../config/flags.js';
import { entryOptions, resolveEntry, resolvePriceFile } from '../config/price-entry.js';
import { priceText } from '../cost/price.js';
import {
  entryName,
  type PriceEntry,
  priceOf,
  readPrices,
  removePrice,
  setPrice,
} from '../cost/price-file.js';
import { DtrainError } from '../errors.js';

type Flags = Record<string, unknown>;

const { prices, spot, json, verbose } = entryOptions;

export function pricesCommand(): Command {
  const command = new Command('prices').description(
    'list and check your own price file, which --instance looks prices up in',
  );
  addTable(command, { prices, json, verbose });
  command.action(async (flags: Flags) => {
    const { file, json: asJson } = resolvePriceFile({ flags, env: process.env });
    const entries = await readPrices(file);
    const lines = asJson ? [JSON.stringify({ file, prices: entries })] : listLines(file, entries);
    process.stdout.write(`${lines.join('\n')}\n`);
  });
  command.addCommand(setCommand());
  command.addCommand(removeCommand());
  for (const each of command.commands) each.exitOverride();
  return command;
}

function setCommand(): Command {
  const command = new Command('set')
    .description('add a price, or change it')
    .argument('<instance>', 'what you call the machine, such as c7g.large or old-laptop');
  addTable(command, entryOptions);
  return command.action(async (instance: string, _flags: Flags, own: Command) => {
    const sources = { flags: own.optsWithGlobals<Flags>(), env: process.env };
    const { file } = resolvePriceFile(sources);
    const entry = resolveEntry(instance, sources, new Date().toISOString().slice(0, 10));
    const done = await setPrice(file, entry);
    process.stdout.write(`${done}: ${lineOf(entry).join('  ')}\n`);
  });
}

function removeCommand(): Command {
  const command = new Command('remove')
    .description('take a price out')
    .argument('<instance>', 'its name');
  addTable(command, { spot, prices, verbose });
  return command.action(async (instance: string, _flags: Flags, own: Command) => {
    const sources = { flags: own.optsWithGlobals<Flags>(), env: process.env };
    const { file, spot: isSpot } = resolvePriceFile(sources);
    const name = entryName({ instance, spot: isSpot });
    if (await removePrice(file, { instance, spot: isSpot })) {
      process.stdout.write(`removed: ${name}\n`);
      return;
    }
    throw new DtrainError('USAGE', `There is no price of ${name} in ${file}: see dtrain prices.`);
  });
}

function listLines(file: string, entries: readonly PriceEntry[]): string[] {
  if (entries.length === 0) {
    return [
      `There are no prices in ${file} yet. Add one with:`,
      '  dtrain prices set NAME --price "0.12 EUR/h" --source https://…',
    ];
  }
  const rows = entries.map(lineOf);
  return [file, ...aligned([['instance', 'price', 'date', 'source'], ...rows])];
}

function lineOf(entry: PriceEntry): string[] {
  return [entryName(entry), priceText(priceOf(entry)), entry.date, entry.source];
}
