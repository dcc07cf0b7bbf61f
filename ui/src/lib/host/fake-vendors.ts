// Vendor descriptions for the invented floor, shaped like the real ones.

import type { VendorSpec } from './gen';

export const VENDORS: VendorSpec[] = [
  {
    vendor: 'comm100',
    title: 'Comm100',
    badge: 'C',
    mode: 'poll',
    about: 'Departments, agents and waiting visitors, asked every five seconds.',
    permission: 'An agent with the permission to view the real-time monitor.',
    fields: [
      { key: 'url', label: 'API address', help: 'Where your site’s API is.', kind: { type: 'url' }, required: true, default: null, example: 'https://api11.comm100.example/v4' },
      { key: 'site_id', label: 'Site id', help: 'In the address of your control panel.', kind: { type: 'int' }, required: true, default: null, example: '10000123' },
      { key: 'email', label: 'Agent’s e-mail', help: 'Of the agent whose API key you use.', kind: { type: 'text' }, required: false, default: null, example: 'supervisor@example.com' },
    ],
    secret_label: 'API key',
    secret_help: 'Global settings, API keys.',
    consent: null,
    provides: [['queue.waiting', 'reported'], ['queue.waiting_since', 'derived']],
  },
  {
    vendor: 'pingstreams',
    title: 'Pingstreams',
    badge: 'P',
    mode: 'push',
    about: 'Departments, teammates and requests, as they happen.',
    permission: 'A teammate with the role owner or admin.',
    fields: [
      { key: 'url', label: 'Realtime address', help: 'Left empty: the one of the European cloud.', kind: { type: 'url' }, required: false, default: 'wss://rt.pingstreams.example/api/', example: 'wss://rt.pingstreams.example/api/' },
      { key: 'project', label: 'Project id', help: 'In the address of the dashboard, after #/project/.', kind: { type: 'text' }, required: true, default: null, example: '5eb45f000000000000002207' },
      { key: 'topics', label: 'Topics', help: 'What to listen to.', kind: { type: 'list' }, required: false, default: null, example: 'requests' },
      { key: 'region', label: 'Region', help: 'Where the account lives.', kind: { type: 'choice', options: ['eu', 'us'] }, required: false, default: 'eu', example: 'eu' },
      { key: 'drafts', label: 'Show drafts', help: 'Requests that are not yet sent.', kind: { type: 'bool' }, required: false, default: 'false', example: 'false' },
    ],
    secret_label: 'Password or token',
    secret_help: 'Of the teammate above.',
    consent: 'Signing in with this account shows a further session in its list of devices.',
    provides: [['queue.waiting', 'derived']],
  },
];
