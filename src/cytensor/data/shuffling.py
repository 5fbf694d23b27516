"""Where the shuffling of a model stands: which order of the samples its next epoch has.

The order of an epoch depends on a seed, the number of the training and the number of the epoch, and on nothing else.
Copies and files of a model carry it along, so that they train on as the original would; a seed that is set later
(`set_seed`, `scope`) starts it anew.
"""
from typing import TYPE_CHECKING, Any, Self

from cytensor import random
from cytensor.checks.arguments import integer
from cytensor.checks.schema import COUNT, check_fields, or_none
from cytensor.types import Config

if TYPE_CHECKING:
    from cytensor.data.batches import ArrayBatches, IteratorBatches

PLACE = {"training": or_none(COUNT), "first": COUNT, "next": COUNT, "read": COUNT, "steps": or_none(COUNT),
         "length": or_none(COUNT)}
RULES = {"seed": integer(0), "trainings": COUNT, **PLACE}


class Shuffling:
    """A training begins with each `fit` from epoch 0; a `fit` from another epoch belongs to the training before it."""
    trainings: int
    first: int
    next: int
    read: int

    def __init__(self) -> None:
        # What `random.seeding` said when the seed was taken from there.
        self.seeding: tuple[int, int, int] | None = None
        self.seed: int | None = None
        self.training: int | None = None           # the number of the present one; None before the first
        self.trainings = 0             # how many there were
        self.first = self.next = self.read = 0     # its first epoch; the one to come; batches read of the data
        self.steps: int | None = None              # the batches of an epoch
        self.length: int | None = None             # those of a pass over the data

    def _follow(self) -> None:
        """Take the seed of the process, or of the scope, where it was set since."""
        seeding = random.seeding()
        if seeding != self.seeding:
            vars(self).update(vars(Shuffling()))
            self.seeding, self.seed = seeding, seeding[-1]

    def begin(self, batches: "ArrayBatches | IteratorBatches", epoch: int) -> None:
        """Note that a `fit` begins with `epoch`; one that goes on reads the data where the last one stopped."""
        self._follow()
        follows = self.training is not None and epoch == self.next > 0
        if self.training is None or epoch == 0:
            self.training, self.trainings = self.trainings, self.trainings + 1
        if follows and (self.steps, self.length) == (batches.wanted, batches.length):
            batches.go_on(self.first, self.read)
        else:
            self.first, self.steps, self.length = epoch, batches.wanted, batches.length
        assert self.seed is not None and self.training is not None
        batches.key = (self.seed, "shuffle", self.training)

    def ended(self, epoch: int, batches: "ArrayBatches | IteratorBatches") -> None:
        """Note that `epoch` is done."""
        self.next, self.read = epoch + 1, batches.read

    def take_over(self, key: tuple[int, str, int]) -> None:
        """Belong to the training of a checkpoint, which has this key."""
        self._follow()
        self.seed, _, training = key
        self.training, self.trainings = training, max(self.trainings, training + 1)

    def place(self) -> dict[str, int | None]:
        """Where the present training stands, for `put_back` behind one inside of it."""
        return {name: getattr(self, name) for name in PLACE}

    def put_back(self, place: dict[str, int | None]) -> None:
        vars(self).update(place)

    # -- copies and files ---------------------------------------------------------------------------------------------
    def get_state(self) -> Config:
        """A dictionary that JSON can hold."""
        self._follow()
        return {name: getattr(self, name) for name in RULES}

    def set_state(self, state: Config) -> None:
        """Go on from what `get_state` returned; a seed that was set before does not count."""
        vars(self).update(state, seeding=random.seeding())

    def __getstate__(self) -> Config:
        return self.get_state()

    def __setstate__(self, state: Config) -> None:
        self.set_state(state)

    @classmethod
    def from_state(cls, state: Any) -> Self:
        """One that goes on from what `get_state` returned; ValueError for anything else."""
        check_fields(state, RULES, "shuffling.")
        restored = cls()
        restored.set_state(state)
        return restored
