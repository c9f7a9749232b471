export class Generator { constructor(_: number) {} next(): string { return 'select 1'; } }
