interface Appointment {
  readonly time: number;
  readonly action: () => void;
}

/** Virtual time: actions happen in the order of their times, and of their making where equal. */
export class Clock {
  #now = 0;
  readonly #appointments: Appointment[] = [];

  /** Seconds since the start. */
  get now(): number {
    return this.#now;
  }

  at(time: number, action: () => void): void {
    const due = Math.max(time, this.#now);
    let place = this.#appointments.length;
    while (place > 0 && (this.#appointments[place - 1]?.time ?? 0) > due) place -= 1;
    this.#appointments.splice(place, 0, { time: due, action });
  }

  after(seconds: number, action: () => void): void {
    this.at(this.#now + seconds, action);
  }

  /** Does what is due next; false if nothing is. */
  advance(): boolean {
    const appointment = this.#appointments.shift();
    if (!appointment) return false;
    this.#now = appointment.time;
    appointment.action();
    return true;
  }
}

/** Appointments of something that may die: then none of them takes place. */
export class MortalClock {
  readonly #clock: Clock;
  #dead = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get now(): number {
    return this.#clock.now;
  }

  at(time: number, action: () => void): void {
    this.#clock.at(time, () => {
      if (!this.#dead) action();
    });
  }

  after(seconds: number, action: () => void): void {
    this.at(this.now + seconds, action);
  }

  die(): void {
    this.#dead = true;
  }
}
