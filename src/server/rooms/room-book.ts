import { AppError } from '../../core/errors.ts';
import { isSameName } from '../../core/names.ts';
import { nearestWord } from '../../core/nearest.ts';
import type { JsonObject } from '../../core/outcome.ts';
import { quoted } from '../../core/quoted.ts';
import type { Room } from '../../core/room.ts';
import type { KeptRoom, Rooms } from '../store/rooms.ts';

export interface RoomBookPorts extends Pick<Rooms, 'rooms' | 'setRooms'> {
  /** A room as a person wrote it. @throws {AppError} usage, with every mistake */
  read(definition: JsonObject): Room;
  /** A new UUID v7. */
  newId(): string;
  /** A line for the operator. */
  say(text: string): void;
}

/** Every room: those of the configuration file and those that were made through the interface. */
export class RoomBook {
  readonly #ports: RoomBookPorts;
  #fromFile: readonly Room[] = [];
  #made: readonly Room[] = [];
  /** Changes are made one after the other: each is judged by what the one before has left. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(ports: RoomBookPorts) {
    this.#ports = ports;
  }

  async load(fromFile: readonly Room[]): Promise<void> {
    this.#made = (await this.#ports.rooms()).flatMap(({ origin, room }) => (origin === 'api' ? [room] : []));
    await this.replaceFile(fromFile);
  }

  /** The file has changed. Of a room that was made through the interface and one of the file with its name or id the latter is left out, and told. */
  async replaceFile(rooms: readonly Room[]): Promise<void> {
    await this.#inTurn(async () => {
      const free = rooms.filter((room) => {
        const twin = this.#made.find((other) => areTwins(room, other));
        if (twin) {
          const next = 'it is left out; rename one of the two';
          this.#ports.say(
            `A room ${quoted(twin.name)} was made through the interface, and the file has it too: ${next}.`,
          );
        }
        return !twin;
      });
      await this.#ports.setRooms('file', free);
      this.#fromFile = free;
    });
  }

  entries(): readonly KeptRoom[] {
    const entries = [
      ...this.#fromFile.map((room) => ({ origin: 'file' as const, room })),
      ...this.#made.map((room) => ({ origin: 'api' as const, room })),
    ];
    return entries.toSorted((a, b) => a.room.name.localeCompare(b.room.name, 'en', { numeric: true }));
  }

  /** By id or by name. @throws {AppError} not-found */
  find(idOrName: string): KeptRoom {
    const entries = this.entries();
    const found = entries.find(({ room }) => room.id === idOrName || room.name === idOrName);
    if (found) return found;
    const names = entries.map(({ room }) => room.name);
    const nearest = nearestWord(idOrName, names);
    const hint =
      nearest === undefined ? `; there are: ${names.join(', ') || 'none'}` : `; did you mean ${quoted(nearest)}?`;
    throw new AppError('not-found', `there is no room ${quoted(idOrName)}${hint}`);
  }

  async create(definition: JsonObject): Promise<KeptRoom> {
    return await this.#inTurn(() => this.#save({ ...this.#ports.read(definition), id: this.#ports.newId() }));
  }

  async change(idOrName: string, definition: JsonObject): Promise<KeptRoom> {
    return await this.#inTurn(() => {
      const { id } = this.#madeHere(idOrName);
      return this.#save({ ...this.#ports.read(definition), id });
    });
  }

  async remove(idOrName: string): Promise<void> {
    await this.#inTurn(async () => {
      const { id } = this.#madeHere(idOrName);
      await this.#setMade(this.#made.filter((room) => room.id !== id));
    });
  }

  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  #madeHere(idOrName: string): Room {
    const { room, origin } = this.find(idOrName);
    if (origin === 'api') return room;
    throw new AppError('conflict', `room ${quoted(room.name)} is written in the configuration file: change it there`);
  }

  async #save(room: Room): Promise<KeptRoom> {
    const others = this.entries().filter((entry) => entry.room.id !== room.id);
    const namesake = others.find((entry) => isSameName(entry.room.name, room.name));
    if (namesake) throw new AppError('conflict', `there is a room ${quoted(namesake.room.name)} already`);
    await this.#setMade([...this.#made.filter(({ id }) => id !== room.id), room]);
    return { origin: 'api', room };
  }

  async #setMade(rooms: readonly Room[]): Promise<void> {
    await this.#ports.setRooms('api', rooms);
    this.#made = rooms;
  }
}

function areTwins(one: Room, other: Room): boolean {
  return one.id === other.id || isSameName(one.name, other.name);
}
