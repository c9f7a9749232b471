/** The part of the package's Emscripten glue that `parse.ts` uses; the package ships no types for it. */
declare module 'libpg-query/wasm/libpg-query.js' {
  export interface RawModule {
    getValue(pointer: number, type: 'i32'): number;
    UTF8ToString(pointer: number): string;
    stringToUTF8(text: string, pointer: number, length: number): void;
    lengthBytesUTF8(text: string): number;
    _malloc(length: number): number;
    _free(pointer: number): void;
    _wasm_parse_query_raw(pointer: number): number;
    _wasm_free_parse_result(pointer: number): void;
    _wasm_parse_plpgsql(pointer: number): number;
    _wasm_scan(pointer: number): number;
    _wasm_free_string(pointer: number): void;
  }
  type Factory = (module: object) => Promise<RawModule>;
  const factory: Factory;
  export default factory;
}
