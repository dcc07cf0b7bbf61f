import '@fontsource-variable/inter/wght.css';
import './app.css';

import { mount } from 'svelte';

import App from './App.svelte';
import { chooseHost } from './lib/host';

const target = document.getElementById('app');
if (!target) throw new Error('the page has no place for the screen');

mount(App, { target, props: { host: await chooseHost() } });
// Tests and the window wait for this word before they look.
document.documentElement.dataset.ready = '1';
