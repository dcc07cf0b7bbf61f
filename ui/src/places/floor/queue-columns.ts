// The queue table's columns. One that no source on this floor can fill is left out: the table stays calm,
// and a source's silence is still marked "–" where others speak.

import type { Cell, QueueRow } from '../../lib/host/gen';
import type { Column } from '../../lib/grid/grid';
import type { Words } from '../../lib/words';

export function queueColumns(rows: QueueRow[], w: Words): Column[] {
  const told = (pick: (row: QueueRow) => Cell) => rows.some((row) => pick(row).certainty !== 'not_given');
  const columns: Array<Column | false> = [
    { key: 'shape', title: w.queues.state, px: 32, shape: true, hideTitle: true },
    { key: 'name', title: w.queues.name, px: 180, wide: true, head: true },
    { key: 'waiting', title: w.queues.waiting, px: 70, num: true, hot: true, about: w.define.waiting },
    { key: 'longest', title: w.queues.longest, px: 82, num: true, hot: true, about: w.define.longest, sort: 'descending' },
    { key: 'trend', title: w.queues.trend, px: 126, drop: 5 },
    rows.some((row) => row.expected_at !== null) && {
      key: 'estimate', title: w.queues.estimate, px: 78, num: true, drop: 4, about: w.define.estimate,
    },
    told((row) => row.free) && { key: 'free', title: w.queues.free, px: 92, num: true, drop: 2, about: w.define.free },
    told((row) => row.online) && { key: 'online', title: w.queues.online, px: 66, num: true, drop: 3, about: w.define.online },
    told((row) => row.service_level) && {
      key: 'serviceLevel', title: w.queues.serviceLevel, px: 112, num: true, drop: 6, about: w.define.serviceLevel,
    },
    told((row) => row.average_wait) && {
      key: 'averageWait', title: w.queues.averageWait, px: 116, num: true, drop: 8, about: w.define.averageWait,
    },
    told((row) => row.abandoned) && {
      key: 'left', title: w.queues.left, px: 86, num: true, drop: 7, about: w.define.left,
    },
    { key: 'age', title: w.queues.age, px: 62, num: true, drop: 1, about: w.define.age },
  ];
  return columns.filter((column) => column !== false);
}
