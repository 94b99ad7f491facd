// Run by every test file before its tests.
import { afterAll } from 'vitest';
import './built-threads.ts';
import { closeLeftOpen } from './left-open.ts';

afterAll(closeLeftOpen);
