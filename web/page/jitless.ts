import { config } from 'zod';

// Parsers are not compiled: the pages' policy forbids making code from text, and trying it would be told as a breach.
config({ jitless: true });
