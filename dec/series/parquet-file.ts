import { type ColumnSource, fileWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';

/** A column: its name and type. */
export interface Field {
  readonly name: string;
  readonly type: 'DOUBLE' | 'INT32' | 'STRING';
}

/** Values of a column, in the form its type needs. */
export type ColumnValues = Float64Array | Int32Array | readonly (number | string)[];

/** A Parquet file that grows by row groups. It can be read once it is finished, however many groups it has. */
export class ParquetFile {
  private readonly writer: ParquetWriter;

  constructor(
    readonly path: string,
    private readonly fields: readonly Field[],
  ) {
    const columnData = fields.map(({ name, type }) => ({ name, type, data: [], nullable: false }));
    this.writer = new ParquetWriter({ writer: fileWriter(path), schema: schemaFromColumnData({ columnData }) });
  }

  /** Adds a row group; columns in the order of the fields, all of one length. */
  write(columns: readonly ColumnValues[]): void {
    const rows = columns[0]?.length ?? 0;
    if (rows === 0) return;
    const columnData: ColumnSource[] = this.fields.map(({ name }, c) => {
      const values = columns[c]!;
      return { name, data: ArrayBuffer.isView(values) ? values : [...values] };
    });
    this.writer.write({ columnData, rowGroupSize: rows });
  }

  /** Ends the file so that it can be read. */
  finish(): void {
    this.writer.finish();
  }
}
