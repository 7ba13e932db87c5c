/* Exact sign-out: a model for the checker Spin.

   auth_service answers a revocation only when no subscriber honours what it revoked. This model
   follows one revocation, E, and one token that E revokes. Spin visits every order of the steps
   below and reports an order in which a subscriber honours the token after the answer.

   The parts
   - One publisher answers (P). Another one (the rounds) publishes E, or publishes it again, at any
     moment. Publishers do not know of each other, so what holds for P holds for each of them.
   - SUBSCRIBERS follow the stream. Each starts at any moment, may die and start anew.
   - Redis holds the epoch, the id of the newest entry (the head) and perhaps E. A frozen Redis is
     one that takes no step for a while. It can be wiped, and it can fail over to an older state.
   - A connection keeps the order of its messages, delays them for any time, and can be half open:
     Redis sends nothing on it any more, and the reader may notice late or never.
   - Time passes in ticks. Between two ticks any number of steps happens, also none. So each process
     may pause at each point for any time.

   The clocks are local and measure spans only. A subscriber's clock may be slower than a
   publisher's by DRIFT ticks while the longest staleness passes.

   Each rule can be removed, for example with -DNO_R1; then Spin finds an order that breaks the
   promise. The long test `tests/faults/test_exact_sign_out_model.py` checks all of it.

   R1   A look counts only if an acknowledgement was published before it.
   R2   A look counts from the moment it was begun, not from its answer.
   R3   P waits for every subscriber that may honour tokens until it has applied E.
   R4   A subscriber honours tokens for STALENESS after its newest look that counts, no longer. So
        nobody waits for one that was silent for longer.
   R5   P knows the subscribers only once it has heard the marker that ended its publication. If it
        does not hear it, it waits as long as the longest staleness.
   R6   An acknowledgement counts only for entries of the epoch that it names.
   R7   P answers success only for what Redis has published.
   R8   P has not heard the subscribers that spoke before it listened. It waits for them for the
        longest staleness after it has begun to listen.
   R9   A subscriber trusts the stream over a new connection only when a publisher's round is
        complete that began after its first look.
   R10  P waits longer than the staleness, by the drift of the clocks.
   R11  A message from the channel moves a subscriber's position only in the message's own epoch.
   R12  A look over a new connection counts as a reconnection.
   R13  R9 holds for the first connection of a process too.
   R14  P answers only if Redis still has what it published, asked after the wait.

   Limits
   - Not in the model: two Redis that serve at once (split brain), a host whose clock stands still,
     a subscriber that trusts the stream because no publisher showed itself for 3 s.
   - The default is one subscriber, as P waits for each by itself; -DSUBSCRIBERS=2 makes it two.
   - P's connection holds two messages that P has not read. Redis then waits.
   - `tests/faults/test_model.py` checks the counters of rounds, and pages of the stream. Here a
     look reads head and stream at once. */

#ifndef SUBSCRIBERS
#define SUBSCRIBERS 1
#endif
#ifndef FAULTS
#define FAULTS 1  /* wipes, failovers, half-open connections and deaths, in any mix */
#endif
#define STALENESS 1
#define DRIFT 1
#define LAST_ID 2 /* E and one other entry, in either order */

#ifdef NO_R4
#define HONOURED_FOR 9
#else
#define HONOURED_FOR (STALENESS + DRIFT)
#endif
#ifdef NO_R10
#define LONGEST STALENESS
#else
#define LONGEST (STALENESS + DRIFT)
#endif

/* ---------------------------------------------------------------------------- what there is */

/* Redis */
byte epoch = 1;         /* 0: wiped and not filled again */
byte head;              /* the id of the newest entry */
byte e_id;              /* the id of E; 0: the stream does not have E */
bool committed;         /* PostgreSQL has the row of E */
byte faults = FAULTS;   /* that may still happen */

typedef Subscriber {
  bool up;
  bool has_e;           /* it has applied E, so it refuses the token */
  byte fresh;           /* ticks for which it still honours tokens */
  bool subscribed;      /* it believes that its subscription is alive */
  bool link;            /* Redis sends on its subscription */
  bool look_link;       /* the connection of its looks is alive */
  byte step;            /* of its look: 0 none, 1 begun, 2 announced, 3 the answer is under way */
  byte look;            /* ticks for which the look would count; 0: it will not count */
  byte read_epoch;      /* the answer to the look: the epoch, the head and whether E was there */
  byte read_head;
  bool read_e;
  byte at_epoch;        /* its position: every entry of this epoch up to this id is applied; */
  byte at;              /* epoch 0: it has not looked since it connected */
  byte heard_epoch;     /* the newest message since the look was begun */
  byte heard;
  byte round            /* 0 no look yet, 1 wanted, 2 begun since, 3 complete */
};
Subscriber s[SUBSCRIBERS];
chan messages[SUBSCRIBERS] = [LAST_ID] of { byte, byte, bool }; /* epoch, id, whether it is E */

/* The publisher that answers */
#define MARKER SUBSCRIBERS
byte phase;             /* 0 idle, 1 published, 2 marker heard, 3 waited for all, 4 answered */
byte patience;          /* ticks for which it still waits for its marker */
byte wanted_epoch;      /* what a subscriber has to acknowledge */
byte wanted;
bool is_lost;           /* Redis has lost what P published: it answers 503, and nothing follows */
bool listening;         /* it believes that its connection is alive */
bool listen_link;       /* Redis sends on it */
byte unheard;           /* ticks in which a subscriber may honour that spoke before P listened */
typedef Known {
  byte until;           /* ticks for which the subscriber may honour tokens, as far as P knows */
  byte at_epoch;        /* its newest acknowledgement */
  byte at;
  byte missing          /* ticks for which P still waits for it */
};
Known known[SUBSCRIBERS];
byte unheard_missing;
chan acks = [2] of { byte, byte, byte };  /* subscriber or MARKER, epoch, id */

byte i, x, y;           /* scratch, 0 between steps */
bool z;

#define PROMISE(n) assert(phase != 4 || !s[n].up || s[n].has_e || s[n].fresh == 0)
#define ACKS_HAVE_ROOM (!listen_link || len(acks) < 2)

/* ----------------------------------------------------------------------------- subscribers */

inline drop_look(n) {
  s[n].step = 0; s[n].look = 0;
  s[n].read_epoch = 0; s[n].read_head = 0; s[n].read_e = 0;
  s[n].heard_epoch = 0; s[n].heard = 0
}

inline drop_messages(n) {
  do
  :: len(messages[n]) > 0 -> messages[n]?x,y,z
  :: else -> break
  od;
  x = 0; y = 0; z = 0
}

inline disconnect(n) {
  drop_look(n);
  drop_messages(n);
  s[n].subscribed = 0; s[n].link = 0; s[n].look_link = 0;
  s[n].at_epoch = 0; s[n].at = 0; s[n].round = 0
}

/* A subscriber that refuses the token breaks no promise: its clock matters no more. */
inline apply_e(n) {
  s[n].has_e = 1; s[n].fresh = 0; s[n].look = 0
}
#define DONE(n) (s[n].has_e && phase == 4)

/* Two equal acknowledgements in a row, neither heard yet, tell P as much as one. */
#define SAID_ALREADY(n) \
  (len(acks) == 1 && acks?[eval(n),eval(s[n].at_epoch),eval(s[n].at)])

inline acknowledge(n) {
  if
  :: listen_link && !SAID_ALREADY(n) -> acks!n,s[n].at_epoch,s[n].at
  :: else
  fi
}

inline begin_look(n) {
#ifdef NO_R1
  s[n].step = 2;
#else
  s[n].step = 1;
#endif
  s[n].heard_epoch = 0; s[n].heard = 0;
  if
  :: !s[n].has_e -> s[n].look = HONOURED_FOR
  :: else
  fi
}

inline read_stream(n) {
  if
  :: epoch == 0 -> drop_look(n)
  :: else ->
     s[n].read_epoch = epoch; s[n].read_head = head; s[n].read_e = (e_id > 0);
     s[n].step = 3;
     if
     :: s[n].round == 0 ->
#ifdef NO_R9
        s[n].round = 3
#else
        s[n].round = 1
#endif
     :: else
     fi;
     if
     :: s[n].round < 3 -> s[n].look = 0
     :: else
     fi
  fi
}

inline apply_answer(n) {
  if
  :: phase < 4 ->
     s[n].at_epoch = s[n].read_epoch; s[n].at = s[n].read_head;
     if
#ifdef NO_R11
     :: s[n].heard > s[n].at -> s[n].at = s[n].heard
#else
     :: s[n].heard > s[n].at && s[n].heard_epoch == s[n].at_epoch -> s[n].at = s[n].heard
#endif
     :: else
     fi
  :: else
  fi;
  if
  :: s[n].read_e -> apply_e(n)
#ifdef NO_R2
  :: !s[n].read_e && s[n].round == 3 && !s[n].has_e -> s[n].fresh = HONOURED_FOR
#endif
  :: else ->
     if
     :: s[n].look > s[n].fresh -> s[n].fresh = s[n].look
     :: else
     fi
  fi;
  drop_look(n)
}

inline apply_message(n) {
  messages[n]?x,y,z;
  if
  :: z -> apply_e(n)
  :: else
  fi;
  if
  :: s[n].step > 0 && phase < 4 -> s[n].heard_epoch = x; s[n].heard = y
  :: else
  fi;
  if
#ifdef NO_R11
  :: s[n].at_epoch > 0 && y > s[n].at -> s[n].at = y
#else
  :: y > s[n].at && x == s[n].at_epoch -> s[n].at = y
#endif
  :: else
  fi;
  x = 0; y = 0; z = 0
}

#ifdef NO_R12
#define CAN_ASK(n) (s[n].subscribed && !DONE(n))
#else
#define CAN_ASK(n) (s[n].subscribed && s[n].look_link && !DONE(n))
#endif

proctype Follow(byte n) provided (!is_lost) {
  do
  :: d_step { !s[n].up ->
       s[n].up = 1;
#ifdef NO_R13
       s[n].round = 3
#endif
     }
  :: d_step { DONE(n) && s[n].subscribed -> disconnect(n) }
  :: d_step { s[n].up && !DONE(n) && !s[n].subscribed && epoch > 0 ->
       s[n].subscribed = 1; s[n].link = 1; s[n].look_link = 1 }
  :: d_step { s[n].subscribed && (!s[n].link || !s[n].look_link) -> disconnect(n) }

  /* A look: begin it, announce it, let Redis read, apply the answer. */
  :: d_step { CAN_ASK(n) && s[n].step == 0 -> begin_look(n) }
  :: d_step { CAN_ASK(n) && s[n].step == 1 && ACKS_HAVE_ROOM ->
       acknowledge(n); s[n].step = 2 }
  :: d_step { CAN_ASK(n) && s[n].step == 2 -> read_stream(n) }
  :: d_step { s[n].step == 3 -> apply_answer(n); PROMISE(n) }

  :: d_step { s[n].subscribed && !DONE(n) && len(messages[n]) > 0 -> apply_message(n) }
  /* What P waits for is acknowledged at once. */
  :: d_step { CAN_ASK(n) && (phase == 1 || phase == 2) && s[n].at >= wanted && listen_link &&
       len(acks) < 2 -> acknowledge(n) }

  /* Its subscription becomes half open; it dies, and starts anew under another name. */
  :: d_step { faults > 0 && s[n].link && !DONE(n) -> faults--; s[n].link = 0 }
  :: d_step { faults > 0 && s[n].up ->
       faults--; disconnect(n);
       s[n].up = 0; s[n].has_e = 0; s[n].fresh = 0;
       known[n].until = 0; known[n].at_epoch = 0; known[n].at = 0; known[n].missing = 0 }
  od
}

/* ------------------------------------------------------------------------------ publishers */

inline append(is_e) {
  head++;
  i = 0;
  do
  :: i < SUBSCRIBERS ->
     if
     :: s[i].link && len(messages[i]) < LAST_ID -> messages[i]!epoch,head,is_e
     :: s[i].link && len(messages[i]) == LAST_ID -> s[i].link = 0  /* Redis drops a slow reader */
     :: else
     fi;
     i++
  :: else -> break
  od;
  i = 0
}

inline publish_e() {
  committed = 1;
  append(1);
  e_id = head
}

inline stop_listening() {
  listening = 0; listen_link = 0; unheard = 0;
  do
  :: len(acks) > 0 -> acks?i,x,y
  :: else -> break
  od;
  i = 0; x = 0; y = 0
}

#ifdef NO_R6
#define HAS_APPLIED(its_epoch, id) (id >= wanted)
#else
#define HAS_APPLIED(its_epoch, id) (its_epoch == wanted_epoch && id >= wanted)
#endif

/* From here on, P waits only for these, and each time that one may honour runs out. */
inline know_all() {
  phase = 2; patience = 0;
#ifndef NO_R8
  unheard_missing = unheard;
#endif
  unheard = 0;
  i = 0;
  do
  :: i < SUBSCRIBERS ->
#ifndef NO_R3
     if
     :: !HAS_APPLIED(known[i].at_epoch, known[i].at) -> known[i].missing = known[i].until
     :: else
     fi;
#endif
     known[i].until = 0; known[i].at_epoch = 0; known[i].at = 0;
     i++
  :: else -> break
  od
}

inline take_note() {
  acks?i,x,y;
  if
  :: i == MARKER && phase == 1 -> know_all()
  :: i < SUBSCRIBERS && phase < 2 ->
     known[i].until = LONGEST; known[i].at_epoch = x; known[i].at = y
  :: i < SUBSCRIBERS && phase == 2 ->
     if
     :: HAS_APPLIED(x, y) -> known[i].missing = 0
     :: else
     fi
  :: else
  fi;
  i = 0; x = 0; y = 0
}

#if SUBSCRIBERS == 1
#define NOBODY_MISSING (unheard_missing == 0 && known[0].missing == 0)
#else
#define NOBODY_MISSING (unheard_missing == 0 && known[0].missing == 0 && known[1].missing == 0)
#endif

inline answer() {
  phase = 4; patience = 0; wanted = 0; wanted_epoch = 0; unheard_missing = 0; is_lost = 0;
  stop_listening();
  do
  :: i < SUBSCRIBERS ->
     known[i].until = 0; known[i].at_epoch = 0; known[i].at = 0; known[i].missing = 0;
     s[i].at_epoch = 0; s[i].at = 0; s[i].heard_epoch = 0; s[i].heard = 0;
     PROMISE(i);
     i++
  :: else -> break
  od;
  i = 0
}

/* One publisher: it publishes E, unless another one did, and a marker; it waits; it answers. */
active proctype Answer() provided (!is_lost) {
  do
  :: d_step { phase == 0 && epoch > 0 && (e_id > 0 || head < LAST_ID) && ACKS_HAVE_ROOM ->
       if
       :: e_id == 0 -> publish_e()
       :: else
       fi;
       wanted_epoch = epoch; wanted = head; phase = 1; patience = LONGEST;
#ifdef NO_R5
       know_all(); i = 0
#else
       if
       :: listen_link -> acks!MARKER,0,0
       :: else
       fi
#endif
     }
#ifdef NO_R7
  :: d_step { phase == 0 && epoch == 0 -> committed = 1; answer() }
#endif
  :: d_step { phase < 4 && listening && len(acks) > 0 -> take_note() }
  :: d_step { phase == 1 && patience == 0 -> phase = 3 }
  :: d_step { phase == 2 && NOBODY_MISSING -> phase = 3 }
  :: d_step { phase == 3 -> answer() }

  :: d_step { phase < 4 && !listening && epoch > 0 ->
       listening = 1; listen_link = 1;
       if
       :: phase < 2 -> unheard = LONGEST
       :: else
       fi }
  :: d_step { phase < 4 && listening && !listen_link -> stop_listening() }
  :: d_step { faults > 0 && phase < 4 && listen_link -> faults--; listen_link = 0 }
  od
}

/* The other publishers: they publish the row, fill a wiped Redis and run rounds. */
active proctype Rounds() provided (!is_lost) {
  do
  :: d_step { epoch > 0 && e_id == 0 && head < LAST_ID -> publish_e() }
  :: d_step { epoch > 0 && e_id == 0 && head < LAST_ID - 1 -> append(0) }
  :: d_step { epoch > 0 && e_id > 0 && head < LAST_ID -> append(0) }
  :: d_step { epoch == 0 ->
       epoch = 2;
       if
       :: committed -> head = 1; e_id = 1
       :: else
       fi }
  /* A round begins for the subscribers whose first look was before. */
  :: d_step { epoch > 0 ->
       do
       :: i < SUBSCRIBERS ->
          if
          :: s[i].round == 1 -> s[i].round = 2
          :: else
          fi;
          i++
       :: else -> break
       od;
       i = 0 }
  :: d_step { epoch > 0 && (!committed || e_id > 0 || head < LAST_ID) ->
       if
       :: committed && e_id == 0 -> publish_e()
       :: else
       fi;
       do
       :: i < SUBSCRIBERS ->
          if
          :: s[i].round == 2 -> s[i].round = 3
          :: else
          fi;
          i++
       :: else -> break
       od;
       i = 0 }
  od
}

/* ---------------------------------------------------------------- what happens to all of them */

inline lose_rounds() {
#ifndef NO_R14
  is_lost = is_lost || (phase > 0 && phase < 4 && (epoch != wanted_epoch || head < wanted));
#endif
  do
  :: i < SUBSCRIBERS ->
     if
     :: s[i].round == 2 -> s[i].round = 1
     :: else
     fi;
     i++
  :: else -> break
  od;
  i = 0
}

/* Connections break, and each reader may notice at any later moment. */
inline fail_over() {
  faults--;
  if
  :: e_id > head -> e_id = 0
  :: else
  fi;
  lose_rounds();
  listen_link = 0;
  do
  :: i < SUBSCRIBERS -> s[i].link = 0; s[i].look_link = 0; i++
  :: else -> break
  od;
  i = 0
}

active proctype Faults() provided (!is_lost) {
  do
  :: d_step { faults > 0 && epoch == 1 -> faults--; epoch = 0; head = 0; e_id = 0; lose_rounds() }
  :: d_step { faults > 0 && epoch > 0 && head > 0 -> head--; fail_over() }
  :: d_step { faults > 0 && epoch > 0 && head > 1 -> head = 0; fail_over() }
  od
}

inline tick(timer) {
  if
  :: timer > 0 -> timer--
  :: else
  fi
}

active proctype Time() provided (!is_lost) {
  do
  :: d_step {
       tick(patience); tick(unheard); tick(unheard_missing);
       do
       :: i < SUBSCRIBERS ->
          tick(s[i].look);
#ifndef NO_R4
          tick(s[i].fresh);
#endif
          tick(known[i].until); tick(known[i].missing);
          if
          :: known[i].until + known[i].missing == 0 -> known[i].at_epoch = 0; known[i].at = 0
          :: else
          fi;
          i++
       :: else -> break
       od;
       i = 0 }
  od
}

init {
  atomic {
    run Follow(0);
#if SUBSCRIBERS == 2
    run Follow(1)
#endif
  }
}
