import { after } from 'node:test';
import { close } from '../lib/server.mjs';
import './starting.mjs';
import './activities.mjs';
import './messages.mjs';
import './children.mjs';
import './ends.mjs';
import './visibility.mjs';

after(close);
