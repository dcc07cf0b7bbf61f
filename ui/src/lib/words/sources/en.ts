// The words of a source's details, in English.

import { counter } from '../count';

const n = counter('en');

export const details = {
  open: 'Details',
  title: (name: string) => `Details of ${name}`,
  close: 'Close',
  failed: 'The details could not be read:',
  changed: 'Format changed',
  changedAbout: 'What this system sends is not as expected, or not as it was. A value that cannot be read is shown as unknown; everything else goes on. Tell whoever looks after Floorwalker here.',
  unchanged: 'Everything that is read has the expected form.',
  others: (count: number) => `and ${n(count, 'more place', 'more places')}`,
  drift: {
    type: 'another type',
    unit: 'another unit',
    vanished: 'vanished',
    word: 'unknown word',
    unreadable: 'cannot be read',
  },
  times: (count: number) => n(count, 'time', 'times'),
  seen: (first: string, last: string) => (first === last ? `at ${first}` : `${first} to ${last}`),
  asked: 'Asked regularly',
  every: (span: string) => `every ${span}`,
  pushed: 'This system tells by itself; nothing is asked regularly.',
  places: 'What was asked so far',
  place: 'Where',
  requests: 'Requests',
  failures: 'Failed',
  status: 'Last answer',
  noAnswer: 'none',
  openNow: 'open',
  took: 'Took',
  size: 'Received',
  messages: (count: number) => n(count, 'message', 'messages'),
  last: 'Last',
  nothing: 'Nothing was asked yet.',
  about: 'Since this source was last started. Addresses are shown without ids, and no content is kept.',
};
