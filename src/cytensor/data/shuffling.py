"""Where the shuffling of a model stands: which order of the samples its next epoch has.

The order of an epoch depends on a seed, the number of the training and the number of the epoch, and on nothing else.
Copies and files of a model carry it along, so that they train on as the original would; a seed that is set later
(`set_seed`, `scope`) starts it anew.
"""
from cytensor import random
from cytensor.checks.arguments import integer
from cytensor.checks.schema import COUNT, check_fields, or_none

PLACE = {"training": or_none(COUNT), "first": COUNT, "next": COUNT, "read": COUNT, "steps": or_none(COUNT),
         "length": or_none(COUNT)}
RULES = {"seed": integer(0), "trainings": COUNT, **PLACE}


class Shuffling:
    """A training begins with each `fit` from epoch 0; a `fit` from another epoch belongs to the training before it."""
    def __init__(self):
        self.seeding = None            # what `random.seeding` said when the seed was taken from there
        self.seed = self.training = None           # the number of the present training; None before the first
        self.trainings = 0             # how many there were
        self.first = self.next = self.read = 0     # its first epoch; the one to come; batches read of the data
        self.steps = self.length = None            # the batches of an epoch, and of a pass over the data

    def _follow(self):
        """Take the seed of the process, or of the scope, where it was set since."""
        seeding = random.seeding()
        if seeding != self.seeding:
            self.__init__()
            self.seeding, self.seed = seeding, seeding[-1]

    def begin(self, batches, epoch):
        """Note that a `fit` begins with `epoch`; one that goes on reads the data where the last one stopped."""
        self._follow()
        follows = self.training is not None and epoch == self.next > 0
        if self.training is None or epoch == 0:
            self.training, self.trainings = self.trainings, self.trainings + 1
        if follows and (self.steps, self.length) == (batches.wanted, batches.length):
            batches.go_on(self.first, self.read)
        else:
            self.first, self.steps, self.length = epoch, batches.wanted, batches.length
        batches.key = (self.seed, "shuffle", self.training)

    def ended(self, epoch, batches):
        """Note that `epoch` is done."""
        self.next, self.read = epoch + 1, batches.read

    def take_over(self, key):
        """Belong to the training of a checkpoint, which has this key."""
        self._follow()
        self.seed, _, self.training = key
        self.trainings = max(self.trainings, self.training + 1)

    def place(self):
        """Where the present training stands, for `put_back` behind one inside of it."""
        return {name: getattr(self, name) for name in PLACE}

    def put_back(self, place):
        vars(self).update(place)

    # -- copies and files ---------------------------------------------------------------------------------------------
    def get_state(self):
        """A dictionary that JSON can hold."""
        self._follow()
        return {name: getattr(self, name) for name in RULES}

    def set_state(self, state):
        """Go on from what `get_state` returned; a seed that was set before does not count."""
        vars(self).update(state, seeding=random.seeding())

    __getstate__, __setstate__ = get_state, set_state

    @classmethod
    def from_state(cls, state):
        """One that goes on from what `get_state` returned; ValueError for anything else."""
        check_fields(state, RULES, "shuffling.")
        restored = cls()
        restored.set_state(state)
        return restored
